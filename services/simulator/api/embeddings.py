"""POST /v1/embeddings: texts as bags of words, so that texts with the same words are near in any order."""

import math
import re
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, Field

from services.simulator.api.errors import Refused
from services.simulator.sampling import seeded_random

MODEL = "sim-embedder"
DIMENSIONS = 128

_WORD = re.compile(r"\w+")


class EmbeddingRequest(BaseModel):
    """The fields of the body that are read."""

    model: str
    input: list[str] = Field(min_length=1)


def embed(request: EmbeddingRequest) -> dict[str, Any]:
    """Return the response. Raises Refused for another model."""
    if request.model != MODEL:
        raise Refused(404, f"The model `{request.model}` does not exist.", "model_not_found", "model")
    tokens = sum(len(_WORD.findall(text)) for text in request.input)
    return {
        "object": "list",
        "model": MODEL,
        "data": [
            {"object": "embedding", "index": at, "embedding": _vector(text)} for at, text in enumerate(request.input)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _vector(text: str) -> list[float]:
    whole = [math.fsum(parts) for parts in zip(*map(_direction, _WORD.findall(text.lower()) or [""]), strict=True)]
    length = math.hypot(*whole) or 1.0
    return [round(x / length, 6) for x in whole]


@lru_cache(4096)
def _direction(word: str) -> tuple[float, ...]:
    die = seeded_random("embedding", word)
    return tuple(die.gauss() for _ in range(DIMENSIONS))
