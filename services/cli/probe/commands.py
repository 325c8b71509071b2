"""The command-line interface of `chimera probe`."""

from dataclasses import asdict, replace
from typing import Annotated

import typer

from services.cli.common import options as opt
from services.cli.common.exit_status import exit_status
from services.cli.common.kafka_connection import Bootstrap, Factory

app = typer.Typer()


@app.command()
def probe(
    models: opt.ModelsFile = None,
    base_url: opt.BaseUrl = "",
    model: opt.ModelName = "",
    api_key_env: opt.KeyVariable = "",
    where: Annotated[str, typer.Option(help="SQL condition on the columns of rows.")] = "true",
    limit: Annotated[int | None, typer.Option(min=1, help="Largest number of rows.")] = None,
    attempts: Annotated[
        int | None, typer.Option(min=1, max=64, help="Attempts of each problem; by default the plan's, or 4.")
    ] = None,
    leave: Annotated[
        list[str] | None, typer.Option(metavar="VIEW", help="View that always solved rows leave: sft, rl.")
    ] = None,
    again: Annotated[str, typer.Option(metavar="NAME", help="Name of another run with the same model.")] = "",
    dry_run: opt.DryRun = False,
    bootstrap: Bootstrap = "",
    factory: Factory = "chimera",
    directory: opt.Directory = opt.HERE,
    as_json: opt.AsJson = False,
) -> None:
    """Measure the difficulty of rows again, for another model that will be trained.

    Nothing is written, verified or solved. Starts the model `base` of --models when nothing runs in --dir; otherwise
    the probe that runs there, or at --bootstrap, tries. After a stop, the same command resumes.
    """
    import asyncio

    from rich.console import Console

    from services.cli.common import models_config
    from services.cli.evidence.output import print_end, print_needs
    from services.cli.evidence.run_lock import hold_lock
    from services.cli.evidence.stored_items import Selection
    from services.cli.evidence.stored_run import check_stack, keep_models, plan_of
    from services.cli.probe.reprobe import Reprobe, check_probe, describe_report, report, run_name, with_attempts

    leaves = leave or []
    if unknown := [view for view in leaves if view not in ("sft", "rl")]:
        raise typer.BadParameter(f"--leave {unknown[0]}: a row can leave sft or rl")
    config = opt.run_config_of(plan_of(directory), None, models, base_url, model, api_key_env, None, directory)
    check_stack(config, bootstrap, given=bool(models or base_url))
    check_probe(config, bootstrap)
    config = replace(config, plan=with_attempts(config.plan, attempts))
    console = Console(stderr=as_json, highlight=False)
    selection, solvers = Selection(where=where, limit=limit), config.models or models_config.simulated(0)
    run = again or run_name(solvers, selection, config.plan.solving.probe_attempts, leaves)
    work = Reprobe(config, selection, run, console, factory=factory, leaves=leaves)
    waiting = work.waiting(None)
    if dry_run:
        needs = work.estimate(len(waiting))
        print_needs(run, len(waiting), "problems to probe", needs, console, as_json=as_json)
        return
    with hold_lock(directory, f"chimera probe, run {run}"), keep_models(directory):
        state, is_done = asyncio.run(work.execute(bootstrap, waiting))
    outcome = state.outcome(is_done=is_done)
    found = report(config.dataset, run)
    lines = describe_report(found) if found else ()
    print_end(outcome, state, lines, {"report": found and asdict(found)}, console, as_json=as_json)
    raise typer.Exit(exit_status(outcome))
