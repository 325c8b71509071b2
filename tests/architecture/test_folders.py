"""Folders hold one subject: few modules each, and a map in `__init__` that lists exactly those."""

import ast
import re
from pathlib import Path

import pytest

from schemas.codegen.export import ROOT

OURS = ("services", "shared", "schemas", "deploy", "trainer", "tests")
MOST = 15
EXCEPTIONS = {"services/simulator/bank": "content: one module a family of problems, all of one shape"}
ENTRY_POINTS = {
    "schemas": {"export"},
    "shared/kafka": {"create", "acls"},
    "trainer": {"sft", "rl", "rl_set", "evaluate", "compare", "control", "card", "all"},
}
"""Modules of a few lines that keep a documented `python -m` path."""
FOLDERS = sorted(
    {path.parent for folder in OURS for path in (ROOT / folder).rglob("*.py") if "recorded" not in path.parts}
)
STANDARD = {"handler", "settings"}
"""Files that every service has; a service of these alone needs no map."""
LISTED = re.compile(r"^(\w+\.py|\w+/) {2,}\S", re.M)


def modules(folder: Path) -> set[str]:
    """Loose modules of a folder, without its entry points."""
    entries = {"__init__", "__main__"} | ENTRY_POINTS.get(str(folder.relative_to(ROOT)), set())
    return {path.stem for path in folder.glob("*.py")} - entries


def with_map() -> list[Path]:
    """Packages of the product and of the tests' helpers, without services of standard files alone."""
    helpers = {ROOT / "tests" / name for name in ("support", "ops", "bench")}
    ours = [folder for folder in FOLDERS if "tests" not in folder.relative_to(ROOT).parts or folder in helpers]
    return [folder for folder in ours if (folder / "__init__.py").exists() and modules(folder) - STANDARD]


def packages(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.glob("*/__init__.py")}


def test_a_folder_holds_at_most_fifteen_modules() -> None:
    counts = {str(folder.relative_to(ROOT)): len(modules(folder)) for folder in FOLDERS}
    assert {name: n for name, n in counts.items() if n > MOST and name not in EXCEPTIONS} == {}


@pytest.mark.parametrize("folder", with_map(), ids=lambda folder: str(folder.relative_to(ROOT)))
def test_the_map_of_a_package_lists_exactly_what_is_in_it(folder: Path) -> None:
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    listed = LISTED.findall(docstring)
    assert sorted(listed) == sorted(
        {f"{name}.py" for name in modules(folder)} | {f"{name}/" for name in packages(folder)}
    )


def test_entry_points_only_call_what_they_name() -> None:
    longest = {
        f"{folder}/{name}.py": len((ROOT / folder / f"{name}.py").read_text().splitlines())
        for folder, names in ENTRY_POINTS.items()
        for name in names
    }
    assert {name: lines for name, lines in longest.items() if lines > 10} == {}
