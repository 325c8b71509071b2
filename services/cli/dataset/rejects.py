"""`chimera dataset rejects`: rejected items and their reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group
from rich.rule import Rule

from services.cli.common.sanitize_terminal import as_text
from services.cli.dataset.stats import counts_table


def render(document: Mapping[str, Any]) -> None:
    """Print the items for a person."""
    console = Console()
    if not document["by_reason"]:
        console.print("No rejected items match.")
        return
    console.print(counts_table("Rejected", document["by_reason"]))
    for one in document["rejects"]:
        console.print(Group(*_about(one)), soft_wrap=True)
    if (hidden := sum(document["by_reason"].values()) - len(document["rejects"])) > 0:
        console.print(f"{hidden:,} more: --limit {hidden + len(document['rejects'])}", style="dim")


def _about(one: Mapping[str, Any]) -> Sequence[Any]:
    lines = [
        Rule(as_text(f"{one['id']}  {one['reason']}"), align="left"),
        as_text(f"{one['subject']} › {one['topic']}; {one['service']}: {one['detail']}", "dim"),
        as_text(one["problem"] or "no problem was written"),
    ]
    if one["key"] is not None:
        required = f" of {one['belief_required']:.3f} required" if one["belief_required"] else ""
        belief = "" if one["belief"] is None else f"  belief {one['belief']:.3f}{required}"
        lines.append(as_text(f"key    {one['key']}  (found blind ×{one['hits']}){belief}", "bold"))
    return [*lines, *(as_text(f"blind  {answer}  ×{votes}") for answer, votes in one["rivals"].items())]
