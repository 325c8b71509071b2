"""All events, named in the past tense, one file per noun.

audit.py       audit items
base.py        base classes
belief.py      parameters of belief
dataset.py     releases
evaluation.py  scores of trained models
evidence.py    evidence beyond the first round
plan.py        the plan and its budget
problem.py     problems, from the request to the probe
sample.py      rows of the dataset
solution.py    solutions
stored.py      stored problems: verified, solved or probed again, decided about
subject.py     requests for topics
topic.py       new topics
training.py    training runs
"""

from schemas.events.audit import AuditJudged
from schemas.events.base import Cause, Event, ItemEvent, ProblemEvent
from schemas.events.belief import BeliefEstimated
from schemas.events.dataset import DatasetReleased
from schemas.events.evaluation import EvaluationCompleted
from schemas.events.evidence import EvidenceGiven, EvidenceRequested
from schemas.events.plan import BudgetReached, PlanAdopted
from schemas.events.problem import (
    ProblemAccepted,
    ProblemDrafted,
    ProblemParked,
    ProblemProbed,
    ProblemRejected,
    ProblemRequested,
    ProblemScreened,
    ProblemVerified,
)
from schemas.events.sample import SampleCurated, SampleDeleted
from schemas.events.solution import SolutionChecked, SolutionRequested, SolutionSynthesized
from schemas.events.stored import ProblemReprobed, ProblemResolved, ProblemReverified, ProblemReviewed
from schemas.events.subject import SubjectRequested
from schemas.events.topic import TopicExpanded
from schemas.events.training import TrainingCompleted, TrainingFailed, TrainingTriggered

__all__ = [
    "AuditJudged",
    "BeliefEstimated",
    "BudgetReached",
    "Cause",
    "DatasetReleased",
    "EvaluationCompleted",
    "Event",
    "EvidenceGiven",
    "EvidenceRequested",
    "ItemEvent",
    "PlanAdopted",
    "ProblemAccepted",
    "ProblemDrafted",
    "ProblemEvent",
    "ProblemParked",
    "ProblemProbed",
    "ProblemRejected",
    "ProblemReprobed",
    "ProblemRequested",
    "ProblemResolved",
    "ProblemReverified",
    "ProblemReviewed",
    "ProblemScreened",
    "ProblemVerified",
    "SampleCurated",
    "SampleDeleted",
    "SolutionChecked",
    "SolutionRequested",
    "SolutionSynthesized",
    "SubjectRequested",
    "TopicExpanded",
    "TrainingCompleted",
    "TrainingFailed",
    "TrainingTriggered",
]
