"""The command-line interface of `chimera resolve`."""

from dataclasses import asdict
from typing import Annotated

import typer

from services.cli.common import options as opt
from services.cli.common.exit_status import exit_status
from services.cli.common.kafka_connection import Bootstrap, Factory

app = typer.Typer()


@app.command()
def resolve(
    models: opt.ModelsFile = None,
    base_url: opt.BaseUrl = "",
    model: opt.ModelName = "",
    api_key_env: opt.KeyVariable = "",
    where: opt.Where = "true",
    rejects: Annotated[
        bool, typer.Option("--rejects", help="Take rejected problems that a reverify accepts, instead of rows.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Largest number of problems.")] = None,
    again: Annotated[str, typer.Option(metavar="NAME", help="Name of a run with the same solver as before.")] = "",
    dry_run: opt.DryRun = False,
    plan: opt.PlanFile = None,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Solve stored problems again with another solver; nothing is written or verified again.

    A row keeps its solutions beside the new ones, and the plan's solving.choose takes one. Starts the solver of
    --models when nothing runs in --dir; otherwise the solver that runs there, or at --bootstrap, solves. After a stop,
    the same command resumes.
    """
    import asyncio

    from rich.console import Console

    from services.cli.common import models_config
    from services.cli.evidence.output import print_end, print_needs
    from services.cli.evidence.run_lock import hold_lock
    from services.cli.evidence.stored_items import Selection
    from services.cli.evidence.stored_run import check_stack, keep_models, plan_of
    from services.cli.resolve.report import describe_report, report
    from services.cli.resolve.resolve import Resolve, count_ends, run_name

    config = opt.run_config_of(plan or plan_of(directory), None, models, base_url, model, api_key_env, None, directory)
    check_stack(config, bootstrap, given=bool(models or base_url))
    console = Console(stderr=as_json, highlight=False)
    selection = Selection(rejects, where, limit)
    solvers = config.models or models_config.simulated(0)
    work = Resolve(config, selection, again or run_name(solvers, selection), console, factory=factory)
    waiting = work.waiting(None if again else solvers)
    if dry_run:
        needs = work.estimate(len(waiting))
        print_needs(work.run, len(waiting), "problems to solve", needs, console, as_json=as_json)
        return
    with hold_lock(directory, f"chimera resolve, run {work.run}"), keep_models(directory):
        state, is_done = asyncio.run(work.execute(bootstrap, waiting))
    outcome = state.outcome(is_done=is_done)
    found = None if rejects else report(config.dataset, work.run)
    ends = count_ends(state.ended)
    lines = [*(describe_report(found) if found else ())]
    if rejects:
        parts = " + ".join(f"{count:,} {end}" for end, count in ends.items())
        lines.append(f"{len(state.ended):,} rejected problems solved{f' = {parts}' if parts else ''}")
    numbers = {"ended": ends, "report": found and asdict(found)}
    print_end(outcome, state, lines, numbers, console, as_json=as_json)
    raise typer.Exit(exit_status(outcome))
