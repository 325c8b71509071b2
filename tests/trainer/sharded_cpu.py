"""`python -m tests.trainer.sharded_cpu …`: SFT whose weights are sharded over processes without GPUs.

accelerate shards over GPUs only, and without them trains whole copies. Here it is made to assume a GPU in this
process; torch shards over gloo as it does over NCCL.
"""

from typing import Any

from accelerate import PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType

from trainer.phases import sft
from trainer.phases.command import main
from trainer.run.run_folder import Run, distributed_state


def lead_to_shard() -> None:
    """Make accelerate shard."""
    distributed_state()
    before = AcceleratorState.__init__

    def init(self: AcceleratorState, *args: object, **kwargs: object) -> None:
        if not AcceleratorState._shared_state:
            PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
        before(self, *args, **kwargs)

    AcceleratorState.__init__ = init


def train(run: Run) -> dict[str, Any]:
    """Train; the result says how the weights were shared."""
    return {**sft.train(run), "sharding": str(AcceleratorState().distributed_type)}


if __name__ == "__main__":
    lead_to_shard()
    main("sft", train)
