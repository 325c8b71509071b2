"""Make audit items out of curated problems."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.events import ProblemDrafted, ProblemScreened, SolutionChecked
from shared.ports import Marked

Entry = ProblemDrafted | ProblemScreened
"""How an audit item comes in: before screening, or behind it."""


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """Nothing is drawn yet."""

    async def __call__(self, event: SolutionChecked) -> Iterable[Marked]:
        return []
