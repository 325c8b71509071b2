"""Evidence on a problem beyond the first round: what the panel requests, and what it is given."""

from typing import ClassVar, Self
from uuid import UUID

from schemas.events.base import Cause, ItemEvent
from schemas.identity import derive
from schemas.item import Adjudication, Item, Judgement, Provenance, Step, Vote


class EvidenceRequested(ItemEvent):
    """The panel requests one piece of evidence from one service. The item has no verdicts: an answer is blind."""

    type: ClassVar[str] = "evidence.requested"

    kind: str
    """An EvidenceKind; open: a later version may request others."""
    role: str
    """The service that is to answer."""
    candidates: tuple[str, ...] = ()
    """Of a vote: the rival answers to compare it with. Of an adjudication: the rival beside the key."""
    votes: tuple[Vote, ...] = ()
    """Of a judgement: the blind votes that the judge sees."""
    repetition: int = 0
    """Of an adjudication: how often the same pair was adjudicated before."""

    @classmethod
    def derive_id(cls, cause: Cause) -> UUID:
        """The id follows from the problem, the kind, the role and the number, whatever event came last."""
        return derive(cause.parent, f"evidence/{cause.role}", cause.index)

    @classmethod
    def numbered(cls, item: Item, kind: str, role: str, number: int, **fields: object) -> Self:
        """The request for the `number`-th evidence of a kind by a role."""
        cause = Cause(parent=item.id, role=f"{kind}/{role}", index=number)
        step = Step(service="panel", event=cls.derive_id(cause), type=cls.type)
        item = item.with_(lineage=(*item.lineage, step))
        return cls._build(cause, {"item": item, "kind": kind, "role": role, **fields})

    @property
    def addressee(self) -> str | None:
        """See Event."""
        return self.role


class EvidenceGiven(ItemEvent):
    """The answer to a request: a vote, a judgement, an adjudication (in the item's last step), or why there is none."""

    type: ClassVar[str] = "evidence.given"

    kind: str
    role: str
    problem_hash: str
    vote: Vote | None = None
    judgement: Judgement | None = None
    unable: str | None = None
    """Why there is no answer; `None` when there is one."""

    @classmethod
    def answer(
        cls,
        request: EvidenceRequested,
        calls: tuple[Provenance, ...] = (),
        adjudication: Adjudication | None = None,
        **fields: object,
    ) -> Self:
        """The answer to a request."""
        cause = Cause(parent=request.id, parent_hash=request.hash, role=request.role)
        made = {"type": cls.type, "calls": calls, "adjudication": adjudication}
        step = Step(service=request.role, event=cls.derive_id(cause), **made)
        item = request.item.with_(lineage=(*request.item.lineage, step))
        about = {"kind": request.kind, "role": request.role, "problem_hash": item.written.hash}
        return cls._build(cause, {"item": item, **about, **fields})

    @property
    def adjudication(self) -> Adjudication | None:
        """What the adjudicator chose, if it did."""
        return self.item.lineage[-1].adjudication
