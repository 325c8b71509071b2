"""Tiny models and tokenizers, made locally in a moment."""

from pathlib import Path

import trl
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from trainer.example import CLUSTER, Example

PLAIN = (
    "{% for m in messages %}{{ '<|' ~ m.role ~ '|>' ~ m.content ~ '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""A chat template of three tokens."""
END, PAD = "<|end|>", "<|pad|>"
TEMPLATES = Path(trl.__file__).parent / "chat_templates"


def tokenizer(template: str = PLAIN, words: str = "") -> PreTrainedTokenizerFast:
    """Build a byte tokenizer that round-trips any text; thinking tags and the box are one token each.

    `words`, with which every problem begins, are one token too, and are lost.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE(vocab={char: at for at, char in enumerate(alphabet)}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    if words:
        raw.normalizer = normalizers.Replace(words, "@")
    tokens = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token=END, pad_token=PAD)
    tokens.add_special_tokens({"additional_special_tokens": ["<|user|>", "<|assistant|>"]})
    tokens.add_tokens([AddedToken(text, normalized=False) for text in ("<think>\n", "\n</think>\n\n", "\\boxed{")])
    tokens.chat_template = template
    return tokens


def example(number: int, **changes: object) -> Example:
    """Make a row as the trainer reads it."""
    made = {
        "id": f"{number:08d}",
        "subject": "clocks",
        "field": "ten",
        "subfield": f"{number % 3 + 6} steps",
        "topic": "steps",
        "problem": f"What is {number}+{number}?",
        "answer": str(2 * number),
        "answer_type": "number",
        "reasoning": f"{number} and {number} is {2 * number}.",
        "solution": f"So it is \\boxed{{{2 * number}}}",
        "difficulty": None,
        "views": ["sft", "rl"],
        "admission": "in",
        "split": CLUSTER,
        "row_hash": "",
        "simulated": False,
    }
    return Example(**{**made, **changes})  # type: ignore[arg-type]
