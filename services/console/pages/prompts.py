"""The prompt behind a model call, found by its hash among the prompts of this version of the software."""

import re
from functools import cache
from itertools import groupby, permutations
from typing import Any

from shared.errors import Refusal
from shared.llm.prompts import Prompt, shipped_prompts

HASH = re.compile(r"[0-9a-f]{8,128}")


def show(prompt_hash: str) -> dict[str, Any]:
    """The prompt with a hash. Raises Refusal when this version has another text for it."""
    found = shipped().get(prompt_hash) if HASH.fullmatch(prompt_hash) else None
    if found is None:
        raise Refusal(
            f"no prompt of this version has the hash {prompt_hash[:16]!r}",
            "The prompt has been changed since: look into the version of the software that made the item",
        )
    return {"snapshot": None, "prompt": found}


@cache
def shipped() -> dict[str, Prompt]:
    """Prompts by hash, also those that are one prompt followed by another of the same folder."""
    found: dict[str, Prompt] = {}
    for _, files in groupby(shipped_prompts(), lambda path: path.parent):
        prompts = [Prompt.load(file) for file in files]
        pairs = [first.with_section(second) for first, second in permutations(prompts, 2)]
        found |= {prompt.hash: prompt for prompt in (*pairs, *prompts)}
    return found
