"""The walking line end to end: real Kafka, real Valkey, every service a process, the simulator over HTTP."""

import json
from pathlib import Path

from services.cli.check.forecast import forecast
from services.cli.check.measured_costs import measured_costs
from services.cli.common import models_config, run_config
from services.cli.common.options import plan_file
from tests.e2e.checks import check_everything, repeated_calls
from tests.e2e.factory import Remains, chimera, remains

ROWS = 64
SEED = 7


def check_forecast(found: Remains, directory: Path) -> None:
    """What the folder has measured explains the calls that were made, topics and work beyond the target aside."""
    plan = run_config.load(plan_file(None), ROWS)
    basis = measured_costs(directory / "dataset", plan, simulated=True)
    assert basis is not None
    reported = forecast(plan, {}, basis, models_config.simulated(0))
    assert abs(reported.calls / len(found.calls) - 1) < 0.2, (reported, len(found.calls))


async def test_the_whole_flow_makes_explained_rows_despite_bad_replies(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "stack"
    with chimera(directory, "--rows", str(ROWS), "--seed", str(SEED)) as process:
        out, progress = process.communicate(timeout=240)
    assert process.returncode == 0, progress
    found = await remains(directory)
    check_everything(found, run_config.load(plan_file(None), ROWS), SEED)
    assert repeated_calls(found) == 0
    check_forecast(found, directory)
    summary = json.loads(out)
    assert summary["outcome"] == "done"
    assert {event.table_version for event in found.events["dataset.released"]}
