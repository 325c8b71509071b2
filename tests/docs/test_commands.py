"""Every command in a code block of a page: its program is known, and where it is ours, it parses.

A command of `chimera` or of the trainer has only options that exist; a target of make, a module and a script exist. The
other programs are listed with the reason why their commands are not run. What a test runs whole is in RUN.
"""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from schemas.codegen.export import ROOT
from services.cli.train import PHASES
from tests.architecture.test_pages import PAGES
from tests.docs.cli_page import commands, trainer_options

RUN = {
    "make run": "tests/e2e/test_readme.py",
    ".venv/bin/chimera dataset stats": "tests/e2e/test_readme.py",
    ".venv/bin/chimera dataset show ID": "tests/e2e/test_readme.py",
    "make check": ".ci/run",
    "make test": ".ci/run",
    "make check-ops": ".ci/run",
}
"""Commands that a test, or CI, runs as they stand on the page."""

NOT_RUN = {
    **dict.fromkeys(("docker", "kind"), "needs Docker"),
    **dict.fromkeys(("kubectl", "helm"), "needs a cluster; the chart is rendered in tests/ops/chart"),
    **dict.fromkeys(("vllm", "accelerate", "tensorboard"), "needs a GPU or the trainer's environment"),
    **dict.fromkeys(("curl", "vf-eval"), "needs a server that runs; its answers are tested with the service"),
    "amtool": "needs an Alertmanager; its rules are tested by make check-ops",
    "pre-commit": "a program of the developer's own",
    **dict.fromkeys(("git", "cd", "cp", "mkdir", "echo", "tar", "export", "jq"), "the shell, or a common tool"),
}
"""Programs of others: why a command with them is not run."""

ENVIRONMENT = re.compile(r"[A-Z_]+=.*")


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Language and content of each code block; the language of an indented one is `indented`."""
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "fence":
            yield token.info.strip(), token.content
        elif token.type == "code_block":
            yield "indented", token.content


def typed(text: str) -> Iterator[str]:
    """The commands of a page: lines of `sh` blocks, what follows `$ ` beside output, indented lines of our programs."""
    for language, content in blocks(text):
        lines = re.sub(r" *\\\n\s*", " ", content).splitlines()
        if language == "sh":
            yield from (line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))
        elif language == "indented":
            yield from (line.strip() for line in lines if line.startswith(("make ", "chimera ", "python ", ".venv/")))
        elif language in ("", "console", "text"):
            yield from (line.removeprefix("$ ").strip() for line in lines if line.startswith("$ "))


def parts(line: str) -> Iterator[list[str]]:
    """The simple commands of a line, without variables before them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
    lexer.commenters, lexer.whitespace_split = "#", True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("&|;"):
            while words and ENVIRONMENT.fullmatch(words[0]):
                words.pop(0)
            if words:
                yield words
            words = []
        else:
            words.append(word)


@cache
def targets() -> set[str]:
    """Targets of the Makefile."""
    return set(re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(), re.M))


def problem(words: list[str]) -> str:
    """What is wrong with a command; empty when it can be typed."""
    program = Path(words[0]).name
    match program, words[1:]:
        case "make", rest:
            unknown = [word for word in rest if "=" not in word and word not in targets()]
            return f"no target {unknown}" if unknown else ""
        case "chimera", rest:
            return chimera_problem(rest)
        case "python" | "python3.11", ["-m", module, *rest]:
            path = ROOT.joinpath(*module.split("."))
            if module.split(".")[0] not in ("services", "schemas", "shared", "trainer", "tests", "deploy"):
                return "" if module == "verl.trainer.main_ppo" else f"{module} is not ours"
            return "" if path.with_suffix(".py").exists() or (path / "__main__.py").exists() else f"no module {module}"
        case (("ruff" | "pytest" | "mypy"), _):
            return ""
        case _ if "/" in words[0]:
            return "" if (ROOT / words[0]).exists() else f"no file {words[0]}"
        case _:
            return "" if program in NOT_RUN else f"unknown program {program}"


def chimera_problem(rest: list[str]) -> str:
    """What the parser of a command refuses."""
    known = {tuple(path.split()[1:]): command for path, command in commands()}
    name = next((tuple(rest[:length]) for length in (2, 1) if tuple(rest[:length]) in known), None)
    if rest == ["--help"] or rest[:1] == ["--install-completion"] or (rest[-1:] == ["--help"] and len(rest) < 4):
        return ""
    if name is None:
        return f"no command {' '.join(rest[:2])}"
    arguments = rest[len(name) :]
    if name[0] == "train" and name[1] in PHASES:
        allowed = trainer_options("compare" if name[1] == "compare" else "options")
        unknown = [word for word in arguments if word.startswith("--") and word.partition("=")[0] not in allowed]
        return f"unknown options {unknown}" if unknown else ""
    command = known[name]
    try:
        command.make_parser(command.context_class(command)).parse_args(list(arguments))
    except Exception as error:  # noqa: BLE001 - every error of the parser is a finding
        return str(error)
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_can_be_typed(page: Path) -> None:
    lines = [line for line in typed(page.read_text()) if line not in RUN]
    assert [f"{line}: {why}" for line in lines for words in parts(line) if (why := problem(words))] == []


def test_commands_that_tests_run_are_on_a_page_and_in_the_test() -> None:
    typed_anywhere = {line.partition("#")[0].strip() for page in PAGES for line in typed(page.read_text())}
    assert [command for command in RUN if command not in typed_anywhere] == []
    assert [test for command, test in RUN.items() if command.split()[0] not in (ROOT / test).read_text()] == []


def test_a_misspelt_command_option_target_or_module_is_found() -> None:
    wrong = ("chimera runn", "chimera run --plam x", "make tests", "python -m services.nobody", "terraform apply")
    assert [line for line in wrong for words in parts(line) if not problem(words)] == []
