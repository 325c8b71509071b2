"""Files that the tutorials show are valid."""

import re

import yaml
from pydantic import BaseModel

from schemas.codegen.export import ROOT
from schemas.config.models_config import ModelsConfig
from schemas.config.plan import Plan
from trainer.recipe import Recipe

KINDS: dict[str, type[BaseModel]] = {"plan": Plan, "models": ModelsConfig, "recipe": Recipe}


def test_every_file_shown_in_a_tutorial_is_valid() -> None:
    text = "".join(page.read_text() for page in (ROOT / "docs" / "tutorials").glob("*.md"))
    files = re.findall(r"```yaml\n# (\w+)\.yaml\n(.*?)```", text, re.S)
    assert {name for name, _ in files} == set(KINDS)
    for name, content in files:
        KINDS[name].model_validate(yaml.safe_load(content))
