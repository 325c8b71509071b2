"""A model server of another project: `transformers serve` with the tests' tiny model, without a cache of the hub."""

import sys
from pathlib import Path

from services.cli.check.model_probe import ProbeResult, probe_models
from tests.support.real_servers import config, outcomes, server
from tests.trainer import clock

REQUESTS = 10
NAMED = {
    *("writer: malformed", "writer: too_long", "verifier: unable"),
    *("solver: attempt", "solver: too_long", "solver: empty", "solver: no_answer"),
}


async def test_transformers_serve_is_checked_and_gives_named_outcomes(tmp_path: Path) -> None:
    model, results = clock.newborn(tmp_path / "model"), list[ProbeResult]()
    command = (Path(sys.executable).parent / "transformers", "serve", model, "--device", "cpu")
    env = {"HF_HOME": str(tmp_path / "no cache"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    async with server(*command, log=tmp_path / "log", env=env) as url:
        models = config(url, str(model), max_tokens=8)
        await probe_models(models, 60.0, results.append)
        found = await outcomes(models, REQUESTS)
    assert {result.role for result in results if result.calls} == set(models.assigned())
    assert {result.served for result in results} == {f"{model}@main"}
    assert found.keys() <= NAMED
    assert found.total() == REQUESTS
