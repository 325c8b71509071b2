"""The command-line interface of `chimera review`."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.common import options as opt
from services.cli.common.exit_status import exit_status
from services.cli.common.kafka_connection import Bootstrap, Factory

if TYPE_CHECKING:
    from rich.console import Console

    from services.cli.common.run_config import RunConfig
    from services.cli.review.apply import Review
    from services.cli.review.decisions import Decision
    from shared.dataset.reports.review_queue import DoubtfulItem

app = typer.Typer()


@app.command()
def review(
    export: Annotated[
        Path | None, typer.Option("--export", help="CSV file to write: items with empty columns for decisions.")
    ] = None,
    apply: Annotated[
        list[Path] | None, typer.Option("--apply", help="File with decisions; repeat it for several people.")
    ] = None,
    name: Annotated[str, typer.Option(help="Your name; recorded with every decision.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Largest number of items to show or write.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --apply: show what would be done, its calls and cost; do nothing.")
    ] = False,
    models: opt.ModelsFile = None,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Decide about doubtful keys: accept, correct or reject them, in the order in which a look changes most.

    Asks in the terminal, or takes decisions from files: write one with --export, fill in decision, answer, reason and
    name, and give it to --apply. Decisions that contradict each other are listed and change nothing.
    """
    from rich.console import Console

    from services.cli.common.dataset_location import dataset_in
    from services.cli.review.apply import find_queue
    from services.cli.review.decisions import read_decisions, write_queue

    if export and apply:
        raise typer.BadParameter("--export writes a file, --apply reads one: give one of them")
    console = Console(stderr=as_json, highlight=False)
    if apply:
        _apply(read_decisions(apply, name), models, bootstrap, factory, directory, console, as_json, dry_run)
        return
    queue = find_queue(dataset_in(directory))[:limit]
    if export:
        written = write_queue(export, queue)
        print(json.dumps({"items": written, "file": str(export)}) if as_json else f"{written:,} items: {export}")  # noqa: T201
    elif as_json:
        print(json.dumps([{**asdict(one), "value": one.value} for one in queue]))  # noqa: T201
    else:
        if not name:
            raise typer.BadParameter("--name is missing: a decision has the name of a person")
        _ask(queue, name, models, bootstrap, factory, directory, console)


def _ask(
    queue: Sequence["DoubtfulItem"],
    name: str,
    models: Path | None,
    bootstrap: str,
    factory: str,
    directory: Path,
    console: "Console",
) -> None:
    """Take decisions in the terminal, keep each in a file, and apply the file."""
    from services.cli.review.ask import ask
    from services.cli.review.decisions import append_decision, read_decisions
    from shared.clock import utc_now

    path = directory / "reviews" / f"{utc_now():%Y-%m-%dT%H-%M-%S}.jsonl"
    console.print(f"{len(queue):,} doubtful items")
    for decision in ask(queue, name, console):
        append_decision(path, decision)
    if path.exists():
        console.print(f"decisions kept in {path}; after a stop: chimera review --apply {path}")
        _apply(read_decisions([path], name), models, bootstrap, factory, directory, console, False, False)


def _apply(
    decisions: Sequence["Decision"],
    models: Path | None,
    bootstrap: str,
    factory: str,
    directory: Path,
    console: "Console",
    as_json: bool,
    dry_run: bool,
) -> None:
    import asyncio

    from services.cli.check.plan_check import needs_table
    from services.cli.common.sanitize_terminal import as_text
    from services.cli.evidence.run_lock import hold_lock
    from services.cli.evidence.stored_run import check_stack, keep_models, plan_of
    from services.cli.review.apply import Review

    config: RunConfig = opt.run_config_of(plan_of(directory), None, models, "", "", "", None, directory)
    check_stack(config, bootstrap, given=models is not None)
    work = Review(config, decisions, console, factory)
    if dry_run:
        needs = work.estimate()
        if as_json:
            print(json.dumps({**_numbers(work), "needs": [asdict(need) for need in needs]}))  # noqa: T201
        else:
            _describe(work, console)
            console.print(needs_table(needs))
        return
    with hold_lock(directory, "chimera review"), keep_models(directory):
        state, is_done = asyncio.run(work.execute(bootstrap))
    outcome = state.outcome(is_done=is_done)
    ends = Counter(str(end) for end in state.ended.values() if end.end != "recorded")
    if as_json:
        rest = {"parked": len(state.parked), "left": state.left, "ended": dict(ends)}
        print(json.dumps({"outcome": outcome, **_numbers(work), **rest}))  # noqa: T201
    else:
        _describe(work, console)
        if ends:
            console.print(as_text(f"problems  {', '.join(f'{count:,} {end}' for end, count in ends.most_common())}"))
        if state.left or state.parked:
            console.print(f"{len(state.parked):,} parked, {state.left:,} not ended: apply the same file again")
    raise typer.Exit(exit_status(outcome))


def _numbers(work: "Review") -> dict[str, object]:
    decided = Counter(one.event.decision for one in work.planned)
    contradictions = {id_: [asdict(one) for one in those] for id_, those in work.contradictions.items()}
    numbers = {name: decided[name] for name in ("accept", "correct", "reject")}
    return {**numbers, "repeated": work.repeated, "to_solve": work.solved, "contradictions": contradictions}


def _describe(work: "Review", console: "Console") -> None:
    from services.cli.common.sanitize_terminal import as_text

    decided = Counter(one.event.decision for one in work.planned)
    parts = " + ".join(f"{decided[name]:,} {name}" for name in ("accept", "correct", "reject"))
    known, disagree = f" + {work.repeated:,} on record before", f" + {len(work.contradictions):,} contradicting"
    total = len(work.planned) + work.repeated + len(work.contradictions)
    console.print(f"{total:,} items decided = {parts}{known}{disagree}; {work.solved:,} to solve", soft_wrap=True)
    for id_, those in work.contradictions.items():
        console.print(as_text(f"{id_[:8]}  people disagree, nothing changes", "yellow"))
        for one in those:
            console.print(as_text(f"  {one}"), soft_wrap=True)
