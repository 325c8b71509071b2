"""The cost of model calls, by model."""

from collections.abc import Iterable
from typing import TypeVar

from schemas.config.policies import ALL
from schemas.item import Provenance
from schemas.model import Model

N = TypeVar("N", int, float)

WARN_AT = 0.8
"""Share of a limit from which a warning is logged."""


class Spend(Model):
    """The calls of one model. A call with unknown tokens or cost adds nothing to that sum, and is counted."""

    model: str
    calls: int = 0
    tokens: int = 0
    dollars: float = 0.0
    uncounted: int = 0
    """Calls without token counts."""
    unpriced: int = 0
    """Calls of unknown cost."""

    def plus(self, other: "Spend") -> "Spend":
        """Add two."""
        return self.with_(
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            dollars=self.dollars + other.dollars,
            uncounted=self.uncounted + other.uncounted,
            unpriced=self.unpriced + other.unpriced,
        )


def sum_or_none(parts: Iterable[N | None]) -> N | None:
    """Sum of tokens or costs; `None` when any part is unknown."""
    values = list(parts)
    return None if None in values else sum(part for part in values if part is not None)


def tokens(call: Provenance) -> int | None:
    """Tokens of prompt and answer; `None` when either is unknown."""
    if call.prompt_tokens is None or call.completion_tokens is None:
        return None
    return call.prompt_tokens + call.completion_tokens


def spent(calls: Iterable[Provenance]) -> tuple[Spend, ...]:
    """Add up calls, by model."""
    return added(_of(call) for call in calls)


def added(spends: Iterable[Spend]) -> tuple[Spend, ...]:
    """Add up, by model."""
    sums: dict[str, Spend] = {}
    for one in spends:
        sums[one.model] = sums.get(one.model, Spend(model=one.model)).plus(one)
    return tuple(sums[model] for model in sorted(sums))


def dearest(spends: Iterable[Spend]) -> tuple[Spend, ...]:
    """The largest tokens and the largest dollars for each model."""
    most: dict[str, Spend] = {}
    for one in spends:
        other = most.get(one.model, one)
        most[one.model] = one.with_(tokens=max(one.tokens, other.tokens), dollars=max(one.dollars, other.dollars))
    return tuple(most[model] for model in sorted(most))


def total(spends: Iterable[Spend]) -> Spend:
    """The sum of all models."""
    whole = Spend(model=ALL)
    for one in spends:
        whole = whole.plus(one)
    return whole


def amount(number: float, unit: str) -> str:
    """Format an amount: 12,300 tokens, $0.50."""
    return f"{number:,.0f} tokens" if unit == "tokens" else f"${number:,.2f}"


def out_of(spent: float, limit: float, unit: str) -> str:
    """Format a share of a limit: 300 of 12,300 tokens."""
    return f"{amount(spent, unit).removesuffix(' tokens')} of {amount(limit, unit)}"


def _of(call: Provenance) -> Spend:
    count = tokens(call)
    return Spend(
        model=call.model,
        calls=1,
        tokens=count or 0,
        dollars=call.cost or 0.0,
        uncounted=count is None,
        unpriced=call.cost is None,
    )
