"""Evidence that the panel requests while belief leaves a key undecided, and what becomes of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from schemas.audit_tag import AuditTag
from schemas.config.policies import Verification
from schemas.events import (
    AuditJudged,
    Event,
    EvidenceGiven,
    EvidenceRequested,
    ItemEvent,
    ProblemAccepted,
    ProblemRejected,
    ProblemVerified,
)
from schemas.identity import derive
from schemas.item import Adjudication, Verdict, Vote
from services.cli.evidence.stored_items import StoredItem
from services.panel.criteria import Criteria, LatestEstimate
from services.panel.handler import JoinState, JoinVerdicts
from shared.answers.rivals import rivals
from shared.audit_items import divert
from shared.errors import Superseded
from shared.stats.belief_model import Parameters
from shared.stats.evidence_choice import Limits
from shared.stats.item_belief import DEFAULTS, parameters_id
from tests.services.panel.test_by_belief import GOOD, HIT, A, B, miss, spoke
from tests.support.items import call, item

VERIFICATION = Verification(target_wrong={"sft": 0.02}, max_votes=8, adjudications=4)
THRESHOLDS: dict[str, float | None] = {"sft": 0.972, "rl": 0.972}
JOIN = JoinVerdicts(
    {"verified", "plausible"}, "evidence", THRESHOLDS, VERIFICATION.accept, limits=Limits(max_votes=8, adjudications=4)
)
NO_ADJUDICATOR = JoinVerdicts(
    {"verified", "plausible"}, "evidence", THRESHOLDS, VERIFICATION.accept, limits=Limits(max_votes=8)
)
MADE, REQUEST = item(1)
FRESH = MADE.with_(verdicts=(), tier=None, attempts=())
HASH = FRESH.written.hash


class Panel:
    """A panel with the state of one problem."""

    def __init__(self, *verdicts: Verdict, join: JoinVerdicts = JOIN) -> None:
        self.join, self.case = join, b""
        self.events: list[Event] = []
        for each in verdicts:
            self.take(ProblemVerified.of(REQUEST, each.role, FRESH, (call(each.role),), verdict=judged(each)))

    def take(self, event: ProblemVerified | EvidenceGiven) -> list[Event]:
        self.stored, events, self.case = self.join(self.case or None, event)
        self.events = [event for event in events if isinstance(event, Event)]
        return self.events

    def give(self, **fields: object) -> Event:
        """Answer the outstanding request."""
        adjudication = fields.pop("adjudication", None)
        role = self.request.role
        answer = EvidenceGiven.answer(self.request, (call(role),), adjudication, **fields)  # type: ignore[arg-type]
        [event] = self.take(answer)
        return event

    @property
    def request(self) -> EvidenceRequested:
        [event] = self.events
        assert isinstance(event, EvidenceRequested)
        return event

    @property
    def decision(self) -> ItemEvent:
        [event] = self.events
        assert isinstance(event, ProblemAccepted | ProblemRejected)
        return event


def judged(verdict: Verdict) -> Verdict:
    return verdict.with_(problem_hash=HASH)


def chose(request: EvidenceRequested, chosen: str, *, key_first: bool = True) -> Adjudication:
    [rival] = request.candidates
    given = {"role": "adjudicator", "model": "third", "rival": rival, "chosen": chosen, "key_first": key_first}
    return Adjudication.model_validate(given)


def test_two_hits_decide_without_a_request() -> None:
    assert isinstance(Panel(spoke(A, HIT), spoke(B, HIT)).decision, ProblemAccepted)


def test_an_undecided_key_gets_one_more_vote_and_is_then_accepted() -> None:
    panel = Panel(spoke(A, HIT), spoke(B, miss("7")), join=NO_ADJUDICATOR)
    assert (panel.request.kind, panel.request.candidates) == ("vote", ("7",))
    panel.give(vote=HIT)
    votes = [len(verdict.votes) for verdict in panel.decision.item.verdicts]
    assert isinstance(panel.decision, ProblemAccepted)
    assert sorted(votes) == [1, 2]
    assert [verdict.judged_votes for verdict in panel.decision.item.verdicts if len(verdict.votes) > 1] == [1]
    steps = [step.type for step in panel.decision.item.lineage]
    assert steps.count("evidence.requested") == steps.count("evidence.given") == 1
    assert len(panel.decision.item.calls) == 3


def test_a_key_that_is_hardly_believed_gets_no_vote_of_a_silent_verifier() -> None:
    silent = Vote(answer=None, agrees="unsure", method="too_long")
    assert Panel(spoke(A, miss("7")), spoke(B, silent)).request.role == B
    panel = Panel(spoke(A, *[miss("7")] * 6, correct=False), spoke(B, silent))
    assert isinstance(panel.decision, ProblemRejected)


def test_a_request_is_blind_and_its_id_does_not_depend_on_the_last_event() -> None:
    verdicts = spoke(A, HIT), spoke(B, miss("7"))
    one, other = (Panel(*order).request for order in (verdicts, verdicts[::-1]))
    assert one.model_dump_json() == other.model_dump_json()
    assert one.id == derive(FRESH.id, f"evidence/{one.kind}/{one.role}", 0)
    assert (one.item.verdicts, one.addressee) == ((), one.role)


def test_a_request_is_stored_first_and_repeated_to_the_byte() -> None:
    panel = Panel(spoke(A, HIT), spoke(B, miss("7")))
    first = panel.request
    assert JoinState.model_validate_json(panel.stored).request == first
    repeated = ProblemVerified.of(REQUEST, A, FRESH, verdict=judged(spoke(A, HIT, HIT)))
    [again] = panel.take(repeated)
    assert again.model_dump_json() == first.model_dump_json()


def test_a_late_or_unrequested_answer_changes_nothing() -> None:
    panel = Panel(spoke(A, HIT), spoke(B, miss("7")), join=NO_ADJUDICATOR)
    first = panel.request
    stranger = EvidenceRequested.numbered(FRESH, "vote", B, 9)
    assert panel.take(EvidenceGiven.answer(stranger, vote=HIT)) == [first]
    panel.events = [first]
    panel.give(vote=HIT)
    tombstone = panel.case
    assert panel.take(EvidenceGiven.answer(first, vote=miss("7"))) == []
    assert panel.case == tombstone
    other = EvidenceGiven.answer(first, vote=HIT).with_(problem_hash="another")
    with pytest.raises(Superseded, match="another text"):
        panel.take(other)


def test_a_new_estimate_counts_for_decisions_that_begin_later() -> None:
    latest = LatestEstimate()
    join = replace(NO_ADJUDICATOR, latest=latest)
    running = Panel(spoke(A, HIT), spoke(B, miss("7")), join=join)
    assert JoinState.model_validate_json(running.stored).criteria is None
    doubtful = Parameters(wrong_keys=0.6)
    latest.criteria = Criteria(parameters=doubtful.values, thresholds={"sft": 0.98, "rl": 0.97})
    running.give(vote=HIT)
    later = Panel(spoke(A, HIT), spoke(B, miss("7")), join=join)
    assert JoinState.model_validate_json(later.stored).criteria == latest.criteria
    latest.criteria = None
    answers_until_the_end(later, lambda _: {"vote": HIT})
    decided = {name: panel.decision.item.belief for name, panel in (("running", running), ("later", later))}
    assert all(decided.values())
    parameters = {name: belief.parameters for name, belief in decided.items() if belief}
    assert parameters == {"running": parameters_id(DEFAULTS), "later": parameters_id(doubtful)}
    assert [belief.thresholds["sft"] for belief in decided.values() if belief] == [0.972, 0.98]
    assert [belief.values for belief in decided.values() if belief] == [None, doubtful.values]


def test_unable_is_an_answer_and_ends_adjudications_of_an_item() -> None:
    panel = Panel(spoke(A, HIT), spoke(B, miss("7"), HIT.with_(answer=None, agrees="unsure")))
    kinds = []
    for _ in range(12):
        if not isinstance(panel.events[0], EvidenceRequested):
            break
        kinds.append(panel.request.kind)
        panel.give(unable="no model") if kinds[-1] == "adjudication" else panel.give(vote=miss(f"{len(kinds)}00"))
    assert kinds == ["adjudication", *["vote"] * 5]
    assert isinstance(panel.decision, ProblemRejected)


def answers_until_the_end(panel: Panel, answer: Callable[[EvidenceRequested], dict[str, object]]) -> list[str]:
    kinds = list[str]()
    while isinstance(panel.events[0], EvidenceRequested):
        kinds.append(f"{panel.request.kind}/{panel.request.role}")
        panel.give(**answer(panel.request))
    return kinds


def test_votes_end_at_their_limit_and_the_rival_then_disputes_the_key() -> None:
    panel = Panel(spoke(A, HIT), spoke(B, miss("7")), join=NO_ADJUDICATOR)
    ids = []

    def miss_again(request: EvidenceRequested) -> dict[str, object]:
        ids.append(request.id)
        return {"vote": miss("7")}

    assert answers_until_the_end(panel, miss_again) == [f"vote/{A}", f"vote/{B}"] * 3
    assert len(set(ids)) == 6, "an answer to an earlier request would stand for a later one"
    assert sum(len(verdict.votes) for verdict in panel.decision.item.verdicts) == 8
    assert isinstance(panel.decision, ProblemRejected)
    assert panel.decision.reason == "key_disputed"


def test_a_pair_is_adjudicated_twice_at_most_and_belief_then_decides() -> None:
    panel = Panel(spoke(A, HIT), spoke(B, miss("7")))
    chosen = iter(("neither", "key"))

    def answer(request: EvidenceRequested) -> dict[str, object]:
        return {"adjudication": chose(request, next(chosen))} if request.kind == "adjudication" else {"vote": HIT}

    assert answers_until_the_end(panel, answer) == ["adjudication/adjudicator"] * 2 + [f"vote/{A}"]
    assert len(panel.decision.item.adjudications) == 2
    believed = panel.decision.item.belief
    assert believed is not None
    assert isinstance(panel.decision, ProblemAccepted) == (believed.key >= 0.972)


def test_a_stored_item_is_adjudicated_and_gets_no_further_vote() -> None:
    old = FRESH.with_(verdicts=(judged(spoke(A, HIT)), judged(spoke(B, miss("7")))))
    decided = {}
    for chosen in ("key", "rival"):
        panel = Panel()
        for each in (spoke(A, miss("7")), spoke(B, HIT)):
            panel.take(ProblemVerified.of(REQUEST, each.role, old, (call(each.role),), verdict=judged(each)))
        assert panel.request.candidates == ("7",)
        while isinstance(panel.events[0], EvidenceRequested):
            assert panel.request.kind == "adjudication"
            panel.give(adjudication=chose(panel.request, chosen))
        decided[chosen] = panel.decision
        assert [len(verdict.votes) for verdict in panel.decision.item.verdicts] == [2, 2]
        stored = StoredItem(panel.decision.item, None)
        again, _ = stored.copy_for("two", compare=False)
        assert again.item.adjudications == panel.decision.item.adjudications != ()
        assert again.item.calls == ()
    assert isinstance(decided["key"], ProblemAccepted)
    assert isinstance(decided["rival"], ProblemRejected)


def test_an_adjudicator_decides_where_answers_differ() -> None:
    panel = Panel(spoke(A, HIT), spoke(B, miss("7")))
    assert (panel.request.kind, panel.request.candidates) == ("adjudication", ("7",))
    before = panel.request
    panel.give(adjudication=chose(panel.request, "key"))
    assert isinstance(panel.decision, ProblemAccepted)
    against = Panel(spoke(A, HIT), spoke(B, miss("7")))
    against.events = [before]
    against.give(adjudication=chose(before, "rival"))
    [then] = against.events
    assert not isinstance(then, ProblemAccepted)


def test_a_verifier_that_could_not_judge_gets_one_more_request() -> None:
    silent = Verdict(role=B, model=B, problem_hash="h", votes=(HIT,), unable="gave no JSON")
    panel = Panel(spoke(A, miss("7")), silent, join=NO_ADJUDICATOR)
    kinds = []
    while isinstance(panel.events[0], EvidenceRequested):
        kinds.append((panel.request.kind, panel.request.role))
        if panel.request.kind == "judgement":
            assert panel.request.votes
            panel.give(judgement=GOOD)
        else:
            panel.give(vote=HIT)
    assert kinds.count(("judgement", B)) == 1
    assert isinstance(panel.decision, ProblemAccepted)


def test_other_faults_and_hopeless_keys_are_rejected_without_a_request() -> None:
    off_topic = Panel(spoke(A, HIT), spoke(B, miss("7"), on_topic=False))
    assert isinstance(off_topic.decision, ProblemRejected)
    hopeless = Panel(spoke(A, miss("7"), correct=False), spoke(B, miss("7"), correct=False))
    assert isinstance(hopeless.decision, ProblemRejected)


def test_undecided_misses_are_one_rival_until_compared_with_a_third() -> None:
    unclear = spoke(A, miss("the free group")), spoke(B, miss("a free product"))
    assert [rival.votes for rival in rivals(unclear)] == [2]
    later = miss("the free group").with_(rival="the free group", other_than=("a free product",))
    apart = unclear[0].with_(votes=(*unclear[0].votes, later)), unclear[1]
    assert sorted(rival.votes for rival in rivals(apart)) == [1, 2]


def test_the_end_of_an_audit_item_knows_what_the_adjudicator_found() -> None:
    panel = Panel(spoke(A, HIT), spoke(B, miss("7")))
    panel.give(adjudication=chose(panel.request, "key"))
    judged_item = divert(panel.decision, AuditTag(kind="natural"))
    assert isinstance(judged_item, AuditJudged)
    assert judged_item.found["adjudicator"] == "passed"


def test_a_vote_without_an_answer_uses_up_an_attempt() -> None:
    panel = Panel(spoke(A, HIT), spoke(B, Vote(answer=None, agrees="unsure", method="too_long")), join=NO_ADJUDICATOR)
    assert (panel.request.kind, panel.request.role) == ("vote", B)
    none = Vote(answer=None, agrees="unsure", method="too_long")
    kinds = answers_until_the_end(panel, lambda _: {"vote": none})
    assert set(kinds) == {f"vote/{B}"}
    assert len(kinds) == 6
    assert isinstance(panel.decision, ProblemRejected)
