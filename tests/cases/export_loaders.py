"""Reads exports with the loaders of Axolotl, LLaMA-Factory and verl themselves: `make check-exports`.

Each library's own code turns an export into what it trains on. The libraries are installed without what they depend on,
since each wants another version of transformers: modules that their loaders import and do not use are empty.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

from services.aggregator.handler import Curate
from services.cli.dataset.export.command import export
from tests.support.items import checked, log, plan

UNUSED = [
    "axolotl_contribs_lgpl",
    "axolotl_contribs_mit",
    "av",
    "colorama",
    "fire",
    "hydra",
    "librosa",
    "mistral_common",
    "modelscope",
    "openai_harmony",
    "optimum",
    "posthog",
    "pylatexenc",
    "ray",
    "tensordict",
    "torchaudio",
    "torchdata",
    "torchvision",
    "verl.models.transformers.qwen2_vl",
]


class Unused(MetaPathFinder, Loader):
    """Imports the modules of UNUSED as empty ones."""

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        """Find a module of UNUSED, or one inside it."""
        ours = any(name == unused or name.startswith(f"{unused}.") for unused in UNUSED)
        return ModuleSpec(name, self, is_package=True) if ours else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make it."""
        return MagicMock(__spec__=spec, __path__=[], __name__=spec.name, __version__="9")

    def exec_module(self, _module: ModuleType) -> None:
        """Do nothing."""


async def exports(folder: Path) -> tuple[Path, Path]:
    """Write eight rows and export them: for chats, and for verl's RL."""
    wanted = plan(8, "mathematics")
    sink = Curate(folder / "dataset", "test", wanted, lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda _: None)
    await sink.open({})
    await sink.write(log(*[checked(number) for number in range(8)]))
    for form, view in (("chat", "sft"), ("verl", "rl")):
        export(folder, folder / form, form, view, "now")
    return folder / "chat/data/train-00000.jsonl", folder / "verl/data/train-00000.parquet"


def tokenizer() -> Any:
    """Build a tokenizer with a chat template."""
    return import_module("tests.trainer.tiny").tokenizer()


def learned(tokens: Any, kept: Any) -> str:
    """Return the text of the tokens that a trainer learns from."""
    return str(tokenizer().decode([int(token) for token, keep in zip(tokens, kept, strict=True) if keep]))


def rows(chat: Path) -> Any:
    """Load the rows of an export."""
    return import_module("datasets").load_dataset("json", data_files=str(chat), split="train", cache_dir=chat.parent)


def axolotl(chat: Path, _rl: Path) -> str:
    """Tokenize a row as `type: chat_template` does."""
    settings = import_module("axolotl.utils.dict").DictDefault
    strategy = import_module("axolotl.prompt_strategies.chat_template").StrategyLoader()(
        tokenizer(),
        settings(sequence_len=4096, train_on_inputs=False, chat_template="tokenizer_default"),
        settings(path=str(chat), ds_type="json", type="chat_template", field_messages="messages"),
    )
    found = strategy.tokenize_prompt(rows(chat)[0])
    return learned(found["input_ids"], [label >= 0 for label in found["labels"]])


def llamafactory(chat: Path, _rl: Path) -> str:
    """Convert a row as `formatting: sharegpt` does."""
    attributes = import_module("llamafactory.data.parser").DatasetAttr("file", dataset_name="sft")
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    attributes.join({"formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags})
    settings = import_module("llamafactory.hparams.data_args").DataArguments()
    converter = import_module("llamafactory.data.converter").get_dataset_converter("sharegpt", attributes, settings)
    (answer,) = converter(rows(chat)[0])["_response"]
    return str(answer["content"])


def verl(chat: Path, _rl: Path) -> str:
    """Tokenize a row of the Parquet made of a chat export, as its SFT does."""
    import_module("pandas").read_json(chat, lines=True).to_parquet(chat.with_suffix(".parquet"))
    config = {"messages_key": "messages", "pad_mode": "no_padding", "truncation": "error", "max_length": 4096}
    data = import_module("verl.utils.dataset.multiturn_sft_dataset").MultiTurnSFTDataset(
        parquet_files=str(chat.with_suffix(".parquet")),
        tokenizer=tokenizer(),
        config=import_module("omegaconf").OmegaConf.create(config),
    )
    return learned(data[0]["input_ids"], data[0]["loss_mask"])


def verl_rl(_chat: Path, rl: Path) -> str:
    """Read a problem of a verl export, as its RL does."""
    config = {"prompt_key": "prompt", "max_prompt_length": 1024, "cache_dir": str(rl.parent)}
    data = import_module("verl.utils.dataset.rl_dataset").RLHFDataset(
        data_files=str(rl), tokenizer=tokenizer(), config=import_module("omegaconf").OmegaConf.create(config)
    )
    return f"{data[0]['raw_prompt'][0]['content']} {data[0]['reward_model']['ground_truth']}"


TRACE = "<think>\nAttempt 0: so it goes\n</think>\n\nThe answer of attempt 0 is 42"
EXPECTED: dict[Callable[[Path, Path], str], tuple[str, ...]] = {
    axolotl: (TRACE, TRACE + "<|end|>"),
    llamafactory: (TRACE,),
    verl: (TRACE, TRACE + "<|end|>"),
    verl_rl: ("What is 1?\n\nPlease reason step by step, and put your final answer within \\boxed{}. 42",),
}
"""What each reads of the first row."""


def main() -> int:
    """Print what each library read; return the exit status."""
    sys.meta_path.insert(0, Unused())
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        chat, rl = asyncio.run(exports(Path(folder)))
        for read, expected in EXPECTED.items():
            found = read(chat, rl)
            wrong += found not in expected
            print(f"{'ok  ' if found in expected else 'FAIL'}  {read.__name__}: {found!r}")  # noqa: T201
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
