"""The progress file and metrics of a trainer, with made-up numbers and without torch.

    python -m tests.ops.training_metrics FOLDER PORT        until SIGTERM

The local stack has no trainer, but queries of its metrics must have data.
"""

import asyncio
import signal
import sys
from pathlib import Path

from deploy.local.ports import LOOPBACK
from shared.runtime.health import Health
from trainer.run.progress import count_run, publish_once, set_phase

STEPS = 100


async def main(folder: Path, port: int) -> None:
    """Report one step of RL per second, after a completed run."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    health = Health(LOOPBACK, port, lambda: None)
    await health.start()
    with count_run() as ended:
        ended["outcome"] = "completed"
    for step in range(1, STEPS + 1):
        set_phase(folder, "rl", step=step, steps=STEPS, loss=1 / step, reward=step / STEPS, tokens=1000.0 * step)
        publish_once(folder)
        if over.is_set():
            break
        await asyncio.sleep(1)
    await over.wait()
    await health.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
