"""The code speaks the field's language: banned words of words.toml are in no name, docstring, comment or page."""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

from schemas.codegen.export import ROOT

BANNED = tomllib.loads((Path(__file__).parent / "words.toml").read_text())["banned"]
CODE = sorted(
    path
    for folder in ("services", "shared", "schemas", "deploy", "trainer", "tests")
    for path in (ROOT / folder).rglob("*.py")
    if not {"recorded", "recording"} & set(path.parts)  # code of the version before, and what runs with it
)
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "services/**/README.md", "shared/**/README.md", "deploy/**/README.md")
    for path in ROOT.glob(pattern)
)
PAGES += [ROOT / f"docs/how-to/{name}.md" for name in ("kubernetes", "operations", "runbook")]
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def names(source: str) -> Iterator[tuple[int, str]]:
    """Every name token, with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Every comment and docstring (also those below a field), with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def banned_names(source: str) -> Iterator[str]:
    rules = {rule["word"]: rule for rule in BANNED if "identifier" in rule.get("where", ())}
    for line, name in names(source):
        for part in {part.lower() for part in PART.findall(name)} & rules.keys():
            if name not in rules[part].get("allowed", ()):
                yield f"{line}: `{name}`: say {rules[part]['instead']}"


def banned_prose(texts: Iterator[tuple[int, str]]) -> Iterator[str]:
    for line, text in texts:
        plain = re.sub(r"`[^`]*`|--[\w-]+", "", text)
        words = " ".join(re.findall(r"[A-Za-z_]+", plain)).lower()
        for rule in BANNED:
            wanted = rule.get("phrase") or ("prose" in rule["where"] and rule["word"])
            if wanted and re.search(rf"\b{wanted}\b", words):
                yield f"{line}: '{wanted}': say {rule['instead']}"


def test_code_uses_no_banned_word() -> None:
    assert [
        f"{path.relative_to(ROOT)}:{found}"
        for path in CODE
        for source in [path.read_text()]
        for found in (*banned_names(source), *banned_prose(prose(source)))
    ] == []


def test_pages_use_no_banned_word() -> None:
    assert [
        f"{path.relative_to(ROOT)}:{found}"
        for path in PAGES
        for text in [re.sub(r"```.*?```", lambda code: "\n" * code[0].count("\n"), path.read_text(), flags=re.S)]
        for found in banned_prose(iter(enumerate(text.split("\n"), 1)))
    ] == []


def test_a_banned_word_is_found_in_names_docstrings_and_comments() -> None:
    source = 'def has_told():\n    """Whoever asks."""  # at once\n'
    assert len([*banned_names(source), *banned_prose(prose(source))]) == 3
