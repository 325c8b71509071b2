"""Generated pages say something about everything that they list."""

import re

from tests.docs.cli_page import cli_page
from tests.docs.keys_page import models_page, plan_page, recipe_page
from tests.docs.metrics_page import metrics_page
from tests.docs.reference import FOLDER


def test_every_key_metric_and_option_has_a_meaning() -> None:
    pages = (plan_page(), models_page(), recipe_page(), metrics_page(), cli_page())
    assert [line for page in pages for line in page.splitlines() if line.endswith("|  |")] == []


def test_the_glossary_has_each_term_once_in_order() -> None:
    terms = re.findall(r"^\| (.+?) \|", (FOLDER / "glossary.md").read_text(), re.M)[1:]
    assert len(terms) > 50
    assert terms == sorted(set(terms), key=str.casefold)
