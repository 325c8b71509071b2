"""Write the generated pages of docs.

python -m tests.docs.reference            write
python -m tests.docs.reference --check    fail when a page is out of date
"""

import sys
from collections.abc import Callable

from schemas.codegen.export import ROOT
from tests.docs.cli_page import cli_page
from tests.docs.events_page import events_page
from tests.docs.keys_page import models_page, plan_page, recipe_page
from tests.docs.metrics_page import metrics_page
from tests.docs.scale_page import scale_page

DOCS = ROOT / "docs"
FOLDER = DOCS / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "reference/cli": cli_page,
    "reference/plan": plan_page,
    "reference/models": models_page,
    "reference/recipe": recipe_page,
    "reference/events": events_page,
    "reference/metrics": metrics_page,
    "explanation/scale": scale_page,
}
NOTE = "\n<!-- made by python -m tests.docs.reference -->\n"


def main() -> None:
    """Write or check. Exits with 1 and names the pages that are out of date."""
    texts = {DOCS / f"{name}.md": page() + NOTE for name, page in PAGES.items()}
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv and stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.exit(f"out of date: {names}. Run: python -m tests.docs.reference")
    for path in stale:
        path.write_text(texts[path])


if __name__ == "__main__":
    main()
