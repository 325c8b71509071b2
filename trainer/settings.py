from pathlib import Path

from shared.config import settings


class Settings(settings.Settings):
    """The trainer: one run at a time, for hours."""

    service: str = "trainer"
    in_flight: int = 1
    recipe: Path = Path("recipe.yaml")
    """What to train and how; trainer/configs/paper.yaml is one."""
    runs: Path = Path("runs")
    """Folder of the run folders, one for each release."""
    judge: Path | None = None
    """A models file whose `judge` is asked where no rule can compare answers."""
    grace_s: float = 0.0
    """How long a run trains on after SIGTERM, in seconds. Its checkpoint is waited for in any case."""
