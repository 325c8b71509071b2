"""The page of commands, from the Typer app and the trainer's parsers."""

import ast
from collections.abc import Iterator, Mapping

import typer
from typer.core import TyperCommand, TyperGroup

from schemas.codegen.export import ROOT
from services.cli.__main__ import app
from services.cli.train import PHASES
from tests.docs.markdown import code, table

HEAD = """# Commands

`chimera --help` lists the commands, and `chimera COMMAND --help` the options of one; `chimera --install-completion`
makes the shell complete them. In the project's folder the command is `.venv/bin/chimera`.

| exit status | meaning |
|---|---|
| 0 | done |
| 1 | refused or failed; one reason and a next step are printed. Also a check that found a problem |
| 2 | usage error |
| 3 | `chimera status`: nothing runs in the folder |
| 130 | interrupted by Ctrl-C or SIGTERM; the same command continues |
"""


def commands(command: object = None, path: str = "chimera") -> Iterator[tuple[str, TyperCommand]]:
    """Every command that does something, with its name as typed."""
    command = command or typer.main.get_command(app)
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from commands(below, f"{path} {name}")
    elif isinstance(command, TyperCommand):
        yield path, command


def cli_page() -> str:
    """Render the page."""
    return (
        HEAD
        + "".join(_section(path, command) for path, command in commands() if path.split()[-1] not in PHASES)
        + _phases()
    )


def _section(path: str, command: TyperCommand) -> str:
    context = command.context_class(command, info_name=path)
    records = [parameter.get_help_record(context) for parameter in command.params]
    rows = [(code(names), text) for names, text in filter(None, records)]
    usage = f"{path} {' '.join(command.collect_usage_pieces(context))}"
    options = "\n" + table(("argument or option", "meaning"), rows) if rows else ""
    return f"\n## {path}\n\n{' '.join((command.help or '').split())}\n\n```text\n{usage}\n```\n{options}"


def _phases() -> str:
    """The phases of the trainer; their parsers need its environment, so their source is read."""
    rows = [(code(f"chimera train {name}"), what) for name, what in PHASES.items()]
    return (
        "\n## chimera train PHASE\n\nThe phases run in the trainer's environment (`make .venv/.trainer`).\n\n"
        + table(("command", "what it does"), rows)
        + "\nOptions of all phases but `compare`:\n\n"
        + table(("option", "meaning"), _arguments("options"))
        + "\nOptions of `compare`:\n\n"
        + table(("option", "meaning"), _arguments("compare"))
    )


def trainer_options(module: str) -> set[str]:
    """Options of a parser of the trainer: `options`, or `compare`."""
    return {name.strip("`") for name, _ in _arguments(module)}


def _arguments(module: str) -> Iterator[tuple[str, str]]:
    tree = ast.parse((ROOT / "trainer" / "phases" / f"{module}.py").read_text())
    texts = {
        node.targets[0].id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            given = {word.arg: word.value for word in node.keywords}
            if (text := _text(given["help"], texts)) is not None:
                name = ast.literal_eval(node.args[0])
                yield code(name), f"{text.strip()}{' [required]' if 'required' in given else ''}"


def _text(node: ast.expr, texts: Mapping[str, object]) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return str(texts[name])
        case ast.JoinedStr(values=parts):
            return "".join(str(_text(part, texts)) for part in parts)
        case ast.FormattedValue(value=ast.Name(id=name)):
            return str(texts[name])
        case _:
            return None  # argparse.SUPPRESS
