"""Records a run folder of the trainer that was killed while it measured models: `recorded/trainer.tar.xz`.

Paths in the folder are relative to where it was run. Left
out are checkpoints, as no phase that makes any is under way, and what transformers and TRL leave for people. The model
is as small as can be, so that its weights may be kept.
"""

import asyncio
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import torch
from shared.journal import journal
from trainer.calls import Calls
from transformers import Qwen3Config, Qwen3ForCausalLM

from tests.trainer import clock
from tests.trainer.tiny import tokenizer

OUT = Path(__file__).parents[1] / "recorded" / "trainer.tar.xz"
CHANGES = {
    "sft": {"learning_rate": 1e-3, "batch": 16, "per_device": 16, "epochs": 1, "checkpoint_steps": 5},
    "rl_set": {"problems": 16, "plain": True},
    "rl": {"completions": 16, "per_device": 16, "rollouts": 4, "reuse": 2, "epochs": 1, "checkpoint_generations": 1},
    "evaluate": {"samples": 4, "ks": [1], "max_tokens": 20, "batch": 4, "problems": 12},
}
COMMAND = ["-P", "-m", "trainer.all", "--config", "recipe.yaml", "--dataset", "data", "--run", "run"]


def main() -> None:
    """Record it."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        here = Path()
        clock.grow(here / "data", clock.rows(300, range(3, 6), seed=2))
        newborn(here / "newborn")
        clock.recipe(here, "newborn", **CHANGES)
        with Path("log.txt").open("wb") as log:
            process = subprocess.Popen([sys.executable, *COMMAND], stderr=log)
        while not any(path.stat().st_size for path in Path("run").glob("evaluate/sft.jsonl")):
            assert process.poll() is None, Path("log.txt").read_text()
            time.sleep(0.01)
        process.kill()
        process.wait()
        assert not Path("run/evaluate.json").exists()
        path = Path("judge.calls.jsonl")
        asyncio.run(answered(path))
        path.write_bytes(path.read_bytes() + b'{"call": "cut o')
        with tarfile.open(OUT, "w:xz", preset=9) as archive:
            for name in ("recipe.yaml", "newborn", "data", "run", "judge.calls.jsonl"):
                archive.add(name, filter=wanted)


def wanted(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    left_out = ("/lock", "/runs", "/training_args.bin", "/README.md")
    return None if "/checkpoint-" in info.name or info.name.endswith(left_out) else info


async def answered(path: Path) -> None:
    """Leave a file of answered calls, as a judge would."""
    async with Calls.kept(path):
        kept = journal()
        assert kept
        kept.keep("a call", '{"text": "half a \u00bd"}'.encode())
        kept.keep("another", b"{}")


def newborn(folder: Path) -> None:
    """A model with one layer of eight."""
    torch.manual_seed(0)
    tokens = tokenizer()
    config = Qwen3Config(
        vocab_size=len(tokens), hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1,
        num_key_value_heads=1, head_dim=8, max_position_embeddings=256, tie_word_embeddings=True, bos_token_id=None,
        eos_token_id=tokens.eos_token_id, pad_token_id=tokens.pad_token_id,
    )  # fmt: skip
    Qwen3ForCausalLM(config).save_pretrained(folder)
    tokens.save_pretrained(folder)


if __name__ == "__main__":
    main()
