"""The command-line interface of `chimera import` and `chimera reverify`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.common import options as opt
from services.cli.common.exit_status import exit_status
from services.cli.common.kafka_connection import Bootstrap, Factory

if TYPE_CHECKING:
    from services.cli.evidence.import_problems import ImportSummary

app = typer.Typer()

PARTS = ("problem", "answer", "solution", "thinking", "rationale", "subject", "topic", "answer_type")


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="Problems with keys: JSON lines, JSON, CSV, Parquet, or a folder with such files.")
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="PART=NAME", help=f"Column of a part: {', '.join(PARTS)}. By default recognised."),
    ] = None,
    subject: Annotated[str, typer.Option(help="Subject of problems whose file names none.")] = "",
    topic: Annotated[str, typer.Option(help="Topic of problems whose file names none.")] = "",
    count: Annotated[
        bool, typer.Option("--count", help="Rows count towards the plan's rows; by default they have their own view.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Largest number of problems.")] = None,
    dry_run: opt.DryRun = False,
    plan: opt.PlanFile = None,
    models: opt.ModelsFile = None,
    base_url: opt.BaseUrl = "",
    model: opt.ModelName = "",
    api_key_env: opt.KeyVariable = "",
    seed: opt.Seed = None,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Send your own problems through the checks: screening, verifiers, panel, solver.

    Uses the stack that runs in --dir or at --bootstrap. Otherwise it starts one without the planner, so that no other
    problem is requested, and stops it at the end. The same file imports nothing twice: after a stop, run it again.
    """
    columns = _columns(column or ())
    import asyncio

    from rich.console import Console

    from services.cli.check.plan_check import needs_table
    from services.cli.common import models_config
    from services.cli.common.sanitize_terminal import as_text
    from services.cli.evidence.import_file import ImportFile, ImportOptions
    from services.cli.evidence.import_problems import Import
    from services.cli.evidence.run_lock import hold_lock
    from services.cli.evidence.stored_run import plan_of
    from services.cli.evidence.working_stack import is_running

    config = opt.run_config_of(plan or plan_of(directory), None, models, base_url, model, api_key_env, seed, directory)
    console = Console(stderr=as_json, highlight=False)
    if not is_running(directory, bootstrap):
        models_config.check_unmixed(directory, simulated=config.simulated)
    options = ImportOptions(config.plan, factory, subject, topic, count, limit)
    work = Import(config, ImportFile.open(file, columns), options, console)
    for line in work.describe():
        console.print(as_text(line), soft_wrap=True)
    if dry_run:
        found = work.scan()
        needs = work.estimate(found.new)
        if as_json:
            refused = {"refused": found.reasons, "problems": found.problems, "new": found.new}
            print(json.dumps({**refused, "needs": [asdict(need) for need in needs]}))  # noqa: T201
            return
        console.print(
            f"{found.problems:,} problems, {found.new:,} of them new; {len(found.refused):,} records refused"
            f"{': ' if found.refused else ''}{_reasons(found.reasons)}"
        )
        console.print(needs_table(needs))
        return
    with hold_lock(directory, f"chimera import {file}"):
        summary = asyncio.run(work.execute(bootstrap, work.scan()))
    if as_json:
        print(json.dumps(asdict(summary)))  # noqa: T201
    else:
        for line in describe(summary):
            console.print(as_text(line), soft_wrap=True)
    raise typer.Exit(exit_status(summary.outcome))


@app.command()
def reverify(
    models: opt.ModelsFile = None,
    base_url: opt.BaseUrl = "",
    model: opt.ModelName = "",
    api_key_env: opt.KeyVariable = "",
    where: opt.Where = "true",
    rejects: Annotated[
        bool, typer.Option("--rejects", help="Take rejected items that both verifiers judged, instead of rows.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Largest number of items.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Only report: no row moves.")] = False,
    again: Annotated[str, typer.Option(metavar="NAME", help="Name of a run with the same verifiers as before.")] = "",
    dry_run: opt.DryRun = False,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Send stored items through other verifiers, and give rows the views of all their evidence.

    Nothing is written or solved again. Starts the verifiers of --models when nothing runs in --dir; otherwise the
    verifiers that run there, or at --bootstrap, judge. After a stop, the same command resumes.
    """
    import asyncio

    from rich.console import Console

    from services.cli.common import models_config
    from services.cli.evidence.output import print_end, print_needs
    from services.cli.evidence.reverify import Reverify, run_name
    from services.cli.evidence.reverify_report import describe_report, report
    from services.cli.evidence.run_lock import hold_lock
    from services.cli.evidence.stored_items import Selection
    from services.cli.evidence.stored_run import check_stack, keep_models, plan_of

    config = opt.run_config_of(plan_of(directory), None, models, base_url, model, api_key_env, None, directory)
    check_stack(config, bootstrap, given=bool(models or base_url))
    console = Console(stderr=as_json, highlight=False)
    selection = Selection(rejects, where, limit)
    verifiers = config.models or models_config.simulated(0)
    run = again or run_name(verifiers, selection, compare=compare)
    work = Reverify(config, selection, run, console, compare=compare, factory=factory)
    waiting = work.waiting(None if again else verifiers)
    if dry_run:
        needs = work.estimate(len(waiting))
        print_needs(run, len(waiting), "items to verify", needs, console, as_json=as_json)
        return
    with hold_lock(directory, "chimera reverify"), keep_models(directory):
        state, is_done = asyncio.run(work.execute(bootstrap, waiting))
    outcome = state.outcome(is_done=is_done)
    found = report(config.dataset, run)
    lines = describe_report(found) if found else ()
    print_end(outcome, state, lines, {"report": found and asdict(found)}, console, as_json=as_json)
    raise typer.Exit(exit_status(outcome))


def describe(summary: "ImportSummary") -> list[str]:
    """Return the summary for a person."""
    from services.cli.evidence.figures import spent

    others = (("refused", sum(summary.refused.values())), ("imported before", summary.earlier))
    rest = (("parked", summary.parked), ("not ended", summary.left))
    parts = [f"{count:,} {name}" for name, count in others if count]
    parts += [f"{count:,} {end}" for end, count in summary.ended.items()]
    parts += [f"{count:,} {name}" for name, count in rest if count]
    word = {"done": "Done", "budget": "Stopped by the budget", "interrupted": "Stopped"}[summary.outcome]
    lines = [f"{word}: {summary.records:,} records = {' + '.join(parts)}"]
    if summary.refused:
        lines.append(f"refused   {_reasons(summary.refused)}")
    if cost := spent(summary.tokens or None, summary.cost):
        lines.append(f"cost      {cost}")
    lines.append(f"report    {summary.report}")
    if summary.parked:
        lines.append("next      chimera dead-letters list")
    elif summary.left:
        lines.append("next      run the same command again")
    return lines


def _reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())


def _columns(given: Sequence[str]) -> dict[str, str]:
    columns = dict(one.partition("=")[::2] for one in given)
    if unknown := [part for part, name in columns.items() if part not in PARTS or not name]:
        raise typer.BadParameter(f"--column {unknown[0]}: give PART=NAME with a PART of {', '.join(PARTS)}")
    return columns
