"""Shows items in a terminal, one by one, and takes decisions."""

from collections.abc import Iterable, Iterator

import typer
from rich.console import Console
from rich.rule import Rule
from rich.table import Table

from services.cli.common.sanitize_terminal import as_text
from services.cli.review.decisions import Decision
from shared.dataset.reports.review_queue import DoubtfulItem

CHOICES = {"a": "accept", "c": "correct", "r": "reject", "s": "skip", "q": "quit"}


def ask(items: Iterable[DoubtfulItem], name: str, console: Console) -> Iterator[Decision]:
    """Yield the decision on each item, until the person quits."""
    for one in items:
        show(one, console)
        prompt = "(a)ccept the key, (c)orrect it, (r)eject, (s)kip, (q)uit"
        while (choice := typer.prompt(prompt, default="s").strip().lower()[:1]) not in CHOICES:
            console.print("Type a, c, r, s or q")
        if choice == "q":
            return
        if choice == "s":
            continue
        answer = typer.prompt("the right key").strip() if choice == "c" else None
        reason = typer.prompt("reason").strip()
        yield Decision(one.id, CHOICES[choice], name, reason, answer)


def show(one: DoubtfulItem, console: Console) -> None:
    """Print an item with its answers side by side."""
    console.print(Rule(as_text(f"{one.id[:8]}  {one.subject} › {one.topic}"), align="left"))
    what = "belief" if one.believed else "by votes alone"
    console.print(as_text(f"{one.fate}: {one.why}", "dim"), soft_wrap=True)
    console.print(as_text(f"{what} {one.chance:.1%}; a look changes something with {one.value:.1%}", "dim"))
    console.print(as_text(one.problem or ""), soft_wrap=True)
    table = Table("answer", "blind votes", box=None)
    table.add_row(as_text(f"{one.answer}  (key, {one.answer_type})", "bold"), str(one.hits))
    for answer, votes in one.rivals.items():
        table.add_row(as_text(answer), str(votes))
    console.print(table)
    for role, text in one.judgements.items():
        console.print(as_text(f"{role}  {text}"), soft_wrap=True)
