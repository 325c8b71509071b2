"""Pages for people: each link leads somewhere on a code host too, each page of docs/ has its place.

The site's generator checks the links between pages with its own names of headings (`make docs`).
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from markdown_it import MarkdownIt

from schemas.codegen.export import ROOT

DOCS = ROOT / "docs"
KINDS = ("tutorials", "how-to", "reference", "explanation")
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "services/*/README.md", "shared/*/README.md", "deploy/*/README.md")
    for path in ROOT.glob(pattern)
)


def links(text: str) -> Iterator[str]:
    """Targets of links and pictures, without those to other hosts."""
    for block in MarkdownIt("commonmark").enable("table").parse(text):
        for token in block.children or []:
            target = str(token.attrGet("href") or token.attrGet("src") or "")
            if target and not re.match(r"[a-z]+:", target):
                yield target


def anchors(text: str) -> set[str]:
    """Names that a code host gives to the headings."""
    names: Counter[str] = Counter()
    found = set()
    for opening, heading in pairwise(MarkdownIt("commonmark").parse(text)):
        if opening.type == "heading_open":
            plain = "".join(token.content for token in heading.children or [])
            name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
            found.add(f"{name}-{names[name]}" if names[name] else name)
            names[name] += 1
    return found


def test_every_link_of_a_page_leads_to_a_file_and_a_heading() -> None:
    broken = []
    for page in PAGES:
        for target in links(page.read_text()):
            path, _, anchor = target.partition("#")
            there = (page.parent / path).resolve() if path else page
            if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there.read_text())):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_every_page_has_a_kind_and_is_in_menu_and_index() -> None:
    pages = {str(path.relative_to(ROOT)) for kind in KINDS for path in (DOCS / kind).rglob("*.md")}
    menu = set(re.findall(r'"(docs/[\w-]+/[\w-]+\.md)"', (DOCS / "zensical.toml").read_text()))
    assert menu == pages
    assert tomllib.loads((DOCS / "zensical.toml").read_text())["project"]["docs_dir"] == "pages"
    assert {
        f"docs/{target}" for target in links((DOCS / "index.md").read_text()) if not target.startswith("..")
    } == pages


def test_an_old_address_has_one_link_to_the_page_that_moved() -> None:
    for stub in set(DOCS.glob("*.md")) - {DOCS / "index.md"}:
        text = stub.read_text()
        assert len(text.splitlines()) == 3, stub
        assert [(DOCS / target).name for target in links(text)] == [stub.name]
