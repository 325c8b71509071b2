"""chimera dataset: look at the product."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at the product.")

Directory = Annotated[Path, typer.Option("--dir", help="Where everything is kept.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@app.command()
def stats(directory: Directory = Path(".chimera"), as_json: AsJson = False) -> None:
    """Rows by subject, tier and outcome; what was rejected and why; lengths, tokens and cost."""
    from services.cli import stats as view  # only now: they take half a second to import
    from shared.dataset import Dataset

    folder = directory / "dataset"
    counted = view.count(Dataset.open(folder))
    if as_json:
        _print_json(counted)
    else:
        view.render(counted)


@app.command()
def show(
    item: Annotated[str, typer.Argument(metavar="ID", help="Id of the item, or how it begins.")],
    directory: Directory = Path(".chimera"),
    full: Annotated[bool, typer.Option("--full", help="The whole chain of thought.")] = False,
    as_json: AsJson = False,
) -> None:
    """One item, curated or not: why it is believed or was rejected, and where it came from."""
    from services.cli import show as view
    from shared.dataset import Dataset

    found = Dataset.open(directory / "dataset").get(item)
    if as_json:
        _print_json(view.document(found))
    else:
        view.render(found, full=full)


def _print_json(document: dict[str, Any]) -> None:
    """ASCII only: what a model wrote cannot reach the terminal as a control character."""
    typer.echo(json.dumps(document, indent=2, default=str))
