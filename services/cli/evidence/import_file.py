"""Reads a file's records as problems; a record that is not one is refused with a reason.

The ids of problems are derived from their text, so that a file imported again brings nothing twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from schemas.config.plan import Plan
from schemas.events import ProblemDrafted
from schemas.events.base import Cause
from schemas.identity import derive, factory_id, normal_form
from schemas.item import IMPORT_ROLE, Attempt, ImportSource, Item, Problem, Provenance, Step, Topic
from services.screening.form import find_flaw
from shared.answers.extract import final_answer
from shared.dataset.records import Flaw, Record, read_records, record_files
from shared.dataset.records.forms import Columns, Form, recognise
from shared.dataset.records.published import PublishedProblem, read_problem
from shared.errors import Invalid, Refusal
from shared.kafka.codec import encode
from shared.llm.sanitize import neutralise, neutralise_statement, one_line

UNKNOWN_TOPIC = "imported"
"""Subject and topic of a problem whose file does not name them."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a person says about a file."""

    plan: Plan
    factory: str
    subject: str = ""
    """Of problems whose file names none."""
    topic: str = ""
    counts: bool = False
    """Whether rows count towards the plan's rows."""
    limit: int | None = None
    """Largest number of problems."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that is not imported, and why: a word for statistics, and a sentence."""

    file: str
    line: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file, or a folder of files, and the form of its records."""

    path: Path
    files: tuple[Path, ...]
    form: Form
    example: PublishedProblem | str
    """What the first record is read as."""

    @classmethod
    def open(cls, path: Path, columns: Mapping[str, str]) -> "ImportFile":
        """Recognise the form by the first record. Raises Refusal without a record, and for columns of no known form."""
        files = tuple(record_files(path))
        first = next((one for file in files for one in read_records(file) if isinstance(one, Record)), None)
        if first is None:
            raise Refusal(f"{path} has no record", "Name a file with problems and their keys")
        form = _named(columns, first, path) if columns else recognise(first.fields)
        if form is None:
            raise Refusal(
                f"{path} has the columns {', '.join(first.fields)}, which no known form has",
                "Name them: --column problem=NAME --column answer=NAME, and solution, thinking, subject, topic if any",
            )
        return cls(path, files, form, read_problem(first.fields, form))

    def read(self, options: ImportOptions) -> Iterator[ProblemDrafted | Refused]:
        """Yield the events of problems and the refused records, in the order of the file.

        Raises Refusal when a file cannot be read.
        """
        seen: set[UUID] = set()
        for file in self.files:
            started = datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(timespec="seconds")
            for record in read_records(file):
                if options.limit is not None and len(seen) >= options.limit:
                    return
                made = self._event(record, file.name, started, options)
                if isinstance(made, ProblemDrafted):
                    if made.item.id in seen:
                        made = Refused(file.name, record.line, "repeat", "the same problem is earlier in the file")
                    else:
                        seen.add(made.item.id)
                yield made

    def _event(
        self, record: Record | Flaw, file: str, started: str, options: ImportOptions
    ) -> ProblemDrafted | Refused:
        if isinstance(record, Flaw):
            return Refused(file, record.line, "unreadable", record.reason)
        found = read_problem(record.fields, self.form)
        if isinstance(found, str):
            reason = "multiple_choice" if found == "multiple choice" else "incomplete"
            return Refused(file, record.line, reason, found)
        source = ImportSource(file=file, line=record.line, form=self.form.name, counts=options.counts)
        event = _drafted(_item(found, source, started, options), source)
        if flaw := find_flaw(event.item.written, options.plan.language):
            return Refused(file, record.line, *flaw)
        if options.counts and event.item.topic.subject not in options.plan.subjects:
            subjects = ", ".join(options.plan.subjects)
            detail = f"the plan has no subject {event.item.topic.subject!r}; it has {subjects}"
            return Refused(file, record.line, "unknown_subject", detail)
        try:
            encode(event, options.factory)
        except (Invalid, UnicodeEncodeError) as error:
            return Refused(file, record.line, "not_encodable", str(error))
        return event


def _named(columns: Mapping[str, str], first: Record, path: Path) -> Form:
    if missing := [name for name in columns.values() if name.partition(".")[0] not in first.fields]:
        raise Refusal(
            f"{path} has no column {', '.join(missing)}; it has {', '.join(first.fields)}", "Correct --column"
        )
    if "problem" not in columns or not columns.keys() & {"answer", "solution"}:
        raise Refusal("a problem needs a text and a key", "Name --column problem=NAME and --column answer=NAME")
    return Form("columns", Columns(**columns), tuple(columns.values()))


def _item(found: PublishedProblem, source: ImportSource, started: str, options: ImportOptions) -> Item:
    """Return the problem; its text is neutralised here, where it enters. A trace stays as it is, for its flaws."""
    problem = Problem(
        statement=neutralise_statement(found.problem),
        answer=neutralise(found.answer),
        answer_type=found.answer_type,
        rationale=neutralise(found.rationale),
    )
    topic = one_line(found.topic or options.topic or UNKNOWN_TOPIC)
    return Item(
        id=derive(factory_id(options.factory), f"import/{problem.fingerprint}"),
        plan=options.plan.name,
        topic=Topic(subject=_subject(found.subject, options), field=topic, subfield=topic, name=topic),
        problem=problem,
        attempts=tuple(_attempts(found, source, started)),
    )


def _subject(given: str, options: ImportOptions) -> str:
    """Return the plan's spelling of a subject, if it has it."""
    name = one_line(given or options.subject or UNKNOWN_TOPIC)
    return next((known for known in options.plan.subjects if normal_form(known) == normal_form(name)), name)


def _attempts(found: PublishedProblem, source: ImportSource, started: str) -> Sequence[Attempt]:
    """Return the problem's own solution as an attempt that is not checked yet."""
    if not found.solution:
        return ()
    provenance = Provenance(
        role=IMPORT_ROLE,
        endpoint=IMPORT_ROLE,
        model=source.form,
        prompt="unknown",
        prompt_hash="",
        started=started,
        latency_s=0.0,
    )
    answer = final_answer(found.solution)
    return (Attempt(index=0, reasoning=found.reasoning, solution=found.solution, answer=answer, provenance=provenance),)


def _drafted(item: Item, source: ImportSource) -> ProblemDrafted:
    cause = Cause(parent=item.id, role=IMPORT_ROLE)
    id_ = ProblemDrafted.derive_id(cause)
    step = Step(service=IMPORT_ROLE, event=id_, type=ProblemDrafted.type, source=source)
    return ProblemDrafted(id=id_, cause=cause, item=item.with_(lineage=(step,)))
