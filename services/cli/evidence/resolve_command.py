"""The command-line interface of `chimera resolve`."""

import json
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
    where: Annotated[str, typer.Option(help="SQL condition on the columns of rows, or of the ledger.")] = "true",
    rejects: Annotated[
        bool, typer.Option("--rejects", help="Take rejected problems that a reverify accepts, instead of rows.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Largest number of problems.")] = None,
    again: Annotated[str, typer.Option(metavar="NAME", help="Name of a run with the same solver as before.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show items, calls, tokens and cost; send nothing.")
    ] = False,
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

    from services.cli.check.plan_check import needs_table
    from services.cli.common import models_config
    from services.cli.common.sanitize_terminal import as_text
    from services.cli.evidence.resolve import Resolve, count_ends, run_name
    from services.cli.evidence.resolve_report import describe_report, report
    from services.cli.evidence.run_lock import hold_lock
    from services.cli.evidence.stored_items import Selection
    from services.cli.evidence.stored_run import check_stack, keep_models, plan_of

    config = opt.run_config_of(plan or plan_of(directory), None, models, base_url, model, api_key_env, None, directory)
    check_stack(config, bootstrap, given=bool(models or base_url))
    console = Console(stderr=as_json, highlight=False)
    selection = Selection(rejects, where, limit)
    solvers = config.models or models_config.simulated(0)
    work = Resolve(config, selection, again or run_name(solvers, selection), console, factory=factory)
    waiting = work.waiting(None if again else solvers)
    if dry_run:
        needs = work.estimate(len(waiting))
        if as_json:
            numbers = {"run": work.run, "items": len(waiting)}
            print(json.dumps({**numbers, "needs": [asdict(need) for need in needs]}))  # noqa: T201
            return
        console.print(f"run {work.run}: {len(waiting):,} problems to solve")
        console.print(needs_table(needs))
        return
    with hold_lock(directory, f"chimera resolve, run {work.run}"), keep_models(directory):
        state, is_done = asyncio.run(work.execute(bootstrap, waiting))
    outcome = state.outcome(is_done=is_done)
    found = None if rejects else report(config.dataset, work.run)
    if as_json:
        numbers = {"parked": len(state.parked), "left": state.left}
        ends = {"ended": count_ends(state.ended), "report": found and asdict(found)}
        print(json.dumps({"outcome": outcome, **numbers, **ends}))  # noqa: T201
    else:
        for line in describe_report(found) if found else ():
            console.print(as_text(line), soft_wrap=True)
        if rejects:
            parts = " + ".join(f"{count:,} {end}" for end, count in count_ends(state.ended).items())
            console.print(as_text(f"{len(state.ended):,} rejected problems solved{f' = {parts}' if parts else ''}"))
        if state.left or state.parked:
            console.print(f"{len(state.parked):,} parked, {state.left:,} not ended: run the same command again")
    raise typer.Exit(exit_status(outcome))
