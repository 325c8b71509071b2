"""`chimera dataset show ID`: one item with its evidence and lineage."""

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.text import Text
from rich.tree import Tree

from schemas.belief import Belief
from schemas.item import Adjudication, Attempt, Item, Judgement, Provenance, Verdict
from services.cli.common.sanitize_terminal import as_text, fold
from shared.dataset import Entry, ItemRecords, ReviewLine, Row
from shared.stats.item_belief import complete_belief
from shared.text.controls import strip_controls

_SIGNS = {"yes": "hit ", "no": "miss", "unsure": "?   "}


def render(result: ItemRecords, decisions: Iterable[ReviewLine] = (), *, full: bool) -> None:
    """Print the item for a person."""
    console = Console()
    entries, item = result.entries, result.item
    if any(call.simulated for call in item.calls) if item else False:
        console.print(Text("SIMULATED: a simulator answered in place of the models of this item", "bold yellow"))
    if item and not item.independent:
        console.print(Text("NOT INDEPENDENT: one model had more than one role", "bold yellow"))
    if result.row:
        console.print(_row_lines(result.row))
    for entry in entries:
        console.print(_ledger_line(entry))
    for one in decisions:
        new = f", the key is {one.new_answer}" if one.new_answer else ""
        console.print(as_text(f"reviewed    {one.decision} by {one.reviewer}{new}: {one.reason}", "bold"))
    if item:
        console.print(Group(*_about(item, full=full)), soft_wrap=True)


def _row_lines(row: Row) -> Text:
    correct = {True: "agrees with the key", False: "differs from the key", None: "not comparable with the key"}[
        row.correct
    ]
    difficulty = (
        "not probed" if row.difficulty is None else f"{row.difficulty:.0%} of the probe's attempts missed the key"
    )
    return as_text(
        f"{row.id}  curated {row.curated_at:%Y-%m-%d %H:%M} UTC\n"
        f"admission   {row.admission}; views: {', '.join(row.views) or 'none'}; split: {row.split}\n"
        f"solution    {correct}{'; flaws: ' + ', '.join(row.flaws) if row.flaws else ''}\n"
        f"difficulty  {difficulty}"
    )


def _ledger_line(entry: Entry) -> Text:
    what = {"attempt": "earlier attempt"}.get(entry.kind, f"{entry.kind} by {entry.service}")
    why = "".join(f": {part}" for part in (entry.reason, entry.detail) if part)
    where = f"{entry.kafka_topic}/{entry.kafka_partition} at {entry.kafka_offset}"
    return as_text(f"{entry.item_id}  {what}{why}\nledger      {where}, {entry.recorded_at:%Y-%m-%d %H:%M} UTC")


def _about(item: Item, *, full: bool) -> list[RenderableType]:
    topic = item.topic
    parts: list[RenderableType] = [
        as_text(f"topic       {topic.subject} › {topic.field} › {topic.subfield} › {topic.name}"),
        as_text(f"tier        {item.tier or 'none'}{': ' + item.tier_reason if item.tier_reason else ''}"),
    ]
    if belief := complete_belief(item):
        parts.append(as_text(f"belief      {_belief(belief)}"))
    if item.problem:
        parts += [Rule("Problem", align="left"), as_text(item.problem.statement)]
        parts += [Rule("Key", align="left"), as_text(f"{item.problem.answer}  ({item.problem.answer_type})", "bold")]
        parts += [Rule("The writer's own solution", align="left"), as_text(item.problem.rationale)]
    for verdict in item.verdicts:
        parts += [Rule(as_text(f"{verdict.role} ({verdict.model})"), align="left"), *_verdict(verdict)]
    if item.adjudications:
        parts += [Rule("Adjudications, blind", align="left"), *map(_adjudication, item.adjudications)]
    for attempt in item.attempts:
        parts += [Rule(as_text(_outcome(attempt)), align="left"), *_attempt(attempt, full=full)]
    return [*parts, Rule("Lineage", align="left"), _lineage(item)]


def _belief(belief: Belief) -> str:
    """Return the probabilities of the key, of the most probable rival, and of an answer that no verifier gave."""
    rival = max(belief.rivals.items(), key=lambda one: one[1], default=None)
    against = f"; {rival[1]:.3f} that {rival[0]} is" if rival else ""
    return f"{belief.key:.3f} that the key is right{against}; {belief.unseen:.3f} that an answer no verifier gave is"


def _verdict(verdict: Verdict) -> list[RenderableType]:
    votes = [
        as_text(f"blind {number}: {_SIGNS[vote.agrees]} {vote.answer or 'no answer'}  ({vote.method})")
        for number, vote in enumerate(verdict.votes, 1)
    ]
    if verdict.judgement is None:
        return [*votes, as_text(f"no judgement: {verdict.unable or 'none given'}", "yellow")]
    return [*votes, *_points(verdict.judgement)]


def _adjudication(one: Adjudication) -> Text:
    chosen = {"key": "the key, not", "rival": "the rival", "neither": "neither the key nor"}[one.chosen]
    return as_text(f"{one.role} ({one.model}) chose {chosen} {one.rival}: {one.reason}")


def _points(judgement: Judgement) -> list[Text]:
    points = {name: value for name, value in judgement if isinstance(value, bool)}
    lines = [
        as_text(
            f"{'yes' if value else 'no ':3} {name.replace('_', ' '):14}  {judgement.reasons.get(name, '')}".rstrip(),
            "" if value != (name == "open_problem") else "red",
        )
        for name, value in points.items()
    ]
    return [*lines, as_text(f"because {judgement.reason}")]


def _outcome(attempt: Attempt) -> str:
    results = {
        "yes": "agrees with the key",
        "no": "differs from the key",
        "unsure": "not comparable",
        None: "not checked",
    }
    flaws = f"; flaws: {', '.join(attempt.flaws)}" if attempt.flaws else ""
    return f"Attempt {attempt.index} by {attempt.provenance.full_name}: {results[attempt.agrees]}{flaws}"


def _attempt(attempt: Attempt, *, full: bool) -> list[Text]:
    thinking = strip_controls(attempt.reasoning) if full else fold(attempt.reasoning)
    return [Text(thinking, "dim"), as_text(attempt.solution)]


def _lineage(item: Item) -> Tree:
    tree = Tree(as_text(f"problem {item.id}"))
    for step in item.lineage:
        branch = tree.add(as_text(f"{step.type} by {step.service}  {step.event}"))
        for call in step.calls:
            branch.add(_call(call))
    return tree


def _call(call: Provenance) -> Text:
    tokens = "tokens unknown" if call.completion_tokens is None else f"{call.completion_tokens:,} tokens"
    cost = "cost unknown" if call.cost is None else f"${call.cost:.4f}"
    return as_text(f"{call.full_name}, {call.prompt}@{call.prompt_hash[:8]}, {tokens}, {cost}, {call.latency_s:.1f} s")
