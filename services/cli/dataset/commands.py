"""chimera dataset: look at the product."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.common.dataset_location import dataset_in
from services.cli.dataset.write_commands import VERSION, AsJson, Directory, Tested, print_json
from services.cli.dataset.write_commands import app as work

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at the product.")


@app.command()
def stats(plan: Tested = None, directory: Directory = Path(".chimera"), as_json: AsJson = False) -> None:
    """Rows by subject, tier and outcome; breadth, contamination, what was rejected and why; lengths, tokens, cost."""
    from services.cli.dataset import stats as view
    from services.cli.dataset.contamination import Contamination
    from shared.dataset import Dataset

    folder = dataset_in(directory)
    counted = view.count(Dataset.open(folder), Contamination.of(directory, plan))
    if as_json:
        print_json(counted)
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
    from services.cli.dataset import show as view
    from shared.dataset import Dataset

    found = Dataset.open(dataset_in(directory)).get(item)
    if as_json:
        print_json(view.document(found))
    else:
        view.render(found, full=full)


@app.command()
def rejects(
    reason: Annotated[str | None, typer.Option(help="Only these, such as key_disputed.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only of this subject.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Show so many, the latest first.")] = 10,
    directory: Directory = Path(".chimera"),
    as_json: AsJson = False,
) -> None:
    """What was rejected and why; with the key and every other answer that was found blind."""
    from services.cli.dataset import rejects as view
    from shared.dataset import Dataset

    found = view.list_rejects(Dataset.open(dataset_in(directory)), reason, subject, limit)
    if as_json:
        print_json(found)
    else:
        view.render(found)


@app.command()
def versions(directory: Directory = Path(".chimera"), as_json: AsJson = False) -> None:
    """Releases: number, rows, plan, versions of the tables, when the last row came."""
    from services.cli.dataset import versions as view

    releases = view.list_releases(dataset_in(directory))
    if as_json:
        print_json({"releases": releases})
    else:
        view.render(releases)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="V1", help=VERSION)],
    after: Annotated[str, typer.Argument(metavar="V2", help=VERSION)],
    directory: Directory = Path(".chimera"),
    as_json: AsJson = False,
) -> None:
    """Rows that came, went and changed between two versions, by subject, tier and admission; ids with --json."""
    from services.cli.dataset import versions as view
    from shared.dataset import opened

    folder = dataset_in(directory)
    told = view.difference(opened(folder, before)[0], opened(folder, after)[0])
    if as_json:
        print_json(told)
    else:
        view.render_difference(told)


app.add_typer(work)
