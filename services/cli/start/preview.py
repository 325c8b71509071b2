"""`chimera preview`: a few problems through every check, shown one after the other, before a run is paid for.

The stack of `chimera run` works in a folder of its own. With a budget of `n` problems it stops when `n` have ended; the
planner has requested others in their place by then, so that up to `n` more are under way and are finished or left.
"""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.rule import Rule

from schemas.config.plan import Plan
from schemas.config.policies import Audits
from services.cli.common import models_config
from services.cli.common.atomic_folder import check_folder
from services.cli.common.exit_status import exit_status
from services.cli.common.run_config import RunConfig
from services.cli.common.sanitize_terminal import as_text
from services.cli.dataset import show
from services.cli.run.command import Run, prepare
from services.cli.run.live_view import LiveView
from services.cli.run.summary import Summary
from shared.dataset import Dataset, ItemRecords
from shared.dataset.storage import is_remote
from shared.errors import Refusal


def preview(config: RunConfig, problems: int, keep: Path | None, *, as_json: bool) -> int:
    """Make and show the problems; returns the exit status. Raises Refusal when it cannot start."""
    if is_remote(config.dataset):
        raise Refusal(
            "CHIMERA_DATASET names an object store, where the dataset of real runs is",
            "Unset it for `chimera preview`, which writes to a folder of its own",
        )
    models_config.check_fit(config.plan, config.models)
    console = Console(stderr=as_json, highlight=False)
    with _folder(keep) as folder:
        prepare(folder)
        small = RunConfig(reduced(config.plan, problems), folder, config.models, config.seed)
        with LiveView(console) as view:
            run = Run(small, view, 0, problems=problems)
            summary = asyncio.run(run.execute())
        records = _records(small, list(run.funnel.ended))
    if as_json:
        document: dict[str, Any] = {"items": [one.document() for one in records], "summary": summary.document()}
        print(json.dumps(document, default=str))  # noqa: T201
    else:
        _print(console, records, summary, keep)
    return exit_status(summary.outcome)


def reduced(plan: Plan, problems: int) -> Plan:
    """Return the plan of a preview: the same subjects and checks, few problems and topics, no audits."""
    subjects = {
        name: subject.model_copy(update={"topics": min(subject.topics, problems)})
        for name, subject in plan.subjects.items()
    }
    changes = {"rows": problems, "in_progress": problems, "subjects": subjects, "audits": Audits(rate=0)}
    return plan.model_copy(update=changes)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep:
        yield check_folder(keep)
        return
    with tempfile.TemporaryDirectory(prefix="chimera-preview-") as folder:
        yield Path(folder)


def _records(config: RunConfig, problems: list[UUID]) -> list[ItemRecords]:
    """Return what the dataset has about these problems; parked ones are not in it."""
    if not Dataset.exists(config.dataset):
        return []
    dataset, found = Dataset.open(config.dataset), []
    for problem in problems:
        try:
            found.append(dataset.get(str(problem)))
        except Refusal:  # parked: it has no end
            continue
    return found


def _print(console: Console, records: list[ItemRecords], summary: Summary, keep: Path | None) -> None:
    for number, one in enumerate(records, 1):
        kept = "kept" if one.row else "rejected"
        console.print()
        console.print(Rule(as_text(f"{number} of {len(records)}: {kept}", "bold"), characters="═"))
        show.render(one, full=False)
    console.print()
    for line in summary.lines(is_kept=bool(keep)):
        console.print(as_text(line), soft_wrap=True)
    if not keep:
        console.print("The preview's files are removed; keep them with --keep FOLDER.")
