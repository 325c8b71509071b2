"""The command-line interface of `chimera dataset`: the commands that read."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.common.help_group import HelpGroup
from services.cli.dataset.write_commands import VERSION, AsJson, BenchmarkPlan, Directory, print_json
from services.cli.dataset.write_commands import app as write

app = typer.Typer(
    cls=HelpGroup, no_args_is_help=True, rich_markup_mode=None, help="Inspect, export or change the dataset."
)


@app.command()
def stats(
    plan: BenchmarkPlan = None,
    plots: Annotated[
        Path | None,
        typer.Option(help="Also draw coverage, funnel, difficulty, lengths and belief into this folder."),
    ] = None,
    directory: Directory = Path(".chimera"),
    as_json: AsJson = False,
) -> None:
    """Show rows by subject, tier and difficulty; coverage, contamination, rejections, lengths, tokens and cost."""
    from services.cli.common.dataset_location import dataset_in, difficulty_bins
    from services.cli.dataset import stats as command
    from services.cli.dataset.contamination import contamination_of
    from shared.dataset import Dataset
    from shared.dataset.reports import statistics
    from shared.dataset.sketches import load_sketches

    folder = dataset_in(directory)
    dataset, benchmarks = Dataset.open(folder), contamination_of(directory, plan)
    figures = statistics.count(dataset, benchmarks, difficulty_bins(directory), load_sketches(folder))
    if as_json:
        print_json(figures)
    else:
        command.render(figures)
    if plots:
        from shared.dataset.reports.plots import write

        for file in write(dataset, plots):
            typer.echo(str(file), err=True)


@app.command()
def show(
    item: Annotated[str, typer.Argument(metavar="ID", help="Id of the item, or its beginning.")],
    directory: Directory = Path(".chimera"),
    full: Annotated[bool, typer.Option("--full", help="Show the whole chain of thought.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one item, curated or rejected: its evidence, the reason of its rejection, its lineage."""
    from services.cli.common.dataset_location import dataset_in
    from services.cli.dataset import show as command
    from shared.dataset import Dataset, open_reviews
    from shared.dataset.query import sql_string

    result = Dataset.open(dataset_in(directory)).get(item)
    if as_json:
        print_json(result.document())
    else:
        reviews = open_reviews(dataset_in(directory))
        found = reviews.select(f"item_id = {sql_string(result.id)}") if reviews else ()
        command.render(result, sorted(found, key=lambda one: one.reviewed_at), full=full)


@app.command()
def rejects(
    reason: Annotated[str | None, typer.Option(help="Only this reason, such as key_disputed.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only this subject.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Number of items to show, latest first.")] = 10,
    directory: Directory = Path(".chimera"),
    as_json: AsJson = False,
) -> None:
    """Show rejected items: the reason, the key, and the other answers of blind attempts."""
    from services.cli.common.dataset_location import dataset_in
    from services.cli.dataset import rejects as command
    from shared.dataset import Dataset
    from shared.dataset.reports.rejects import list_rejects

    items = list_rejects(Dataset.open(dataset_in(directory)), reason, subject, limit)
    if as_json:
        print_json(items)
    else:
        command.render(items)


@app.command()
def versions(directory: Directory = Path(".chimera"), as_json: AsJson = False) -> None:
    """List releases: number, rows, plan, table versions, time of the last row."""
    from services.cli.common.dataset_location import dataset_in
    from services.cli.dataset import versions as command
    from shared.dataset.reports.versions import list_releases

    releases = list_releases(dataset_in(directory))
    if as_json:
        print_json({"releases": releases})
    else:
        command.render(releases)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="V1", help=VERSION)],
    after: Annotated[str, typer.Argument(metavar="V2", help=VERSION)],
    directory: Directory = Path(".chimera"),
    as_json: AsJson = False,
) -> None:
    """Count rows that were added, removed or changed between two versions; with --json also their ids."""
    from services.cli.common.dataset_location import dataset_in
    from services.cli.dataset import versions as command
    from shared.dataset import open_release
    from shared.dataset.reports.versions import difference

    folder = dataset_in(directory)
    changes = difference(open_release(folder, before)[0], open_release(folder, after)[0])
    if as_json:
        print_json(changes)
    else:
        command.render_difference(changes)


app.add_typer(write)
