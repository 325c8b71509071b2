"""`chimera init`: writes a commented plan and models file to begin with."""

from importlib.resources import files
from pathlib import Path

from shared.errors import Refusal

FILES = ("plan.yaml", "models.yaml")


def init(directory: Path) -> list[Path]:
    """Write the files; returns their paths. Raises Refusal when one of them exists, before anything is written."""
    paths = [directory / name for name in FILES]
    if there := [str(path) for path in paths if path.exists()]:
        raise Refusal(f"{' and '.join(there)} already there", "Name another folder, or move them away")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in paths:
            text = files("services.cli.start.templates").joinpath(path.name).read_text(encoding="utf-8")
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{directory} cannot be written: {error.strerror}", "Name another folder") from error
    return paths
