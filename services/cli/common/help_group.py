"""Help of a group of commands: the first sentence of each whole, over several lines where needed."""

from typing import Any

from typer.core import TyperGroup


class HelpGroup(TyperGroup):
    """Lists commands without cutting their summaries at the width of the terminal."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, one.get_short_help_str(limit=1000)) for name, one in commands if one and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
