"""Prompts of the user's own: used wherever the shipped one is, named in the lineage, refused where they cannot work."""

import json
import re
from pathlib import Path

import pytest

from schemas.config.models_config import Endpoint, ModelsConfig
from services.problem_writer import __main__ as writer
from services.verifier import __main__ as verifier
from shared.errors import Refusal
from shared.llm import Models
from shared.llm.models_config import load_models_config
from shared.llm.prompts import Prompt, load_prompt, shipped_prompts

BLIND = Path("services/verifier/prompts/blind.md")


def test_each_shipped_prompt_has_a_name_of_its_own_that_code_loads() -> None:
    names = sorted(path.stem for path in Path().glob("s*/*/prompts/*.md"))
    assert names == sorted(path.stem for path in shipped_prompts())
    assert len(set(names)) == len(names)
    code = "\n".join(path.read_text() for root in ("services", "shared") for path in Path(root).rglob("*.py"))
    assert set(names) <= set(re.findall(r'"(\w+)\.md"', code))


def test_a_models_file_names_a_folder_of_own_prompts(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "draft.md").write_text(writer.PROMPTS.joinpath("draft.md").read_text() + "\nWrite in French.\n")
    config = ModelsConfig.one(Endpoint(base_url="http://127.0.0.1:9/v1"), "m").model_dump(mode="json")
    (tmp_path / "models.json").write_text(json.dumps({**config, "prompts": "own"}))
    handler = writer.build_handler(Models(load_models_config(tmp_path / "models.json"), "problem_writer"))
    shipped = Prompt.load(writer.PROMPTS / "draft.md")
    for model in (handler.draft, handler.harder):
        assert "Write in French." in model.prompt.text  # type: ignore[attr-defined]
        assert model.prompt.origin == str(tmp_path / "own" / "draft.md")  # type: ignore[attr-defined]
        assert model.prompt.hash != shipped.hash  # type: ignore[attr-defined]


def test_an_own_prompt_may_leave_out_hints(tmp_path: Path) -> None:
    (tmp_path / "draft.md").write_text("Write one on $topic ($subject, $field, $subfield) with a $answer_type.")
    own = load_prompt(writer.PROMPTS / "draft.md", tmp_path)
    fields = dict.fromkeys(Prompt.load(writer.PROMPTS / "draft.md").fields, "x")
    assert own.messages(fields, 1) == [{"role": "user", "content": "Write one on x (x, x, x) with a x."}]


def test_an_own_prompt_may_name_the_language_of_the_plan(tmp_path: Path) -> None:
    (tmp_path / "solve.md").write_text("Solve $problem$in_language. Write $language.")
    config = ModelsConfig.one(Endpoint(base_url="http://127.0.0.1:9/v1"), "m").model_copy(update={"prompts": tmp_path})
    prompt = Models(config, "synthesis", language="German").prompt(Path("services/synthesis/prompts/solve.md"))
    assert prompt.messages({"problem": "x"}, 1)[0]["content"] == "Solve x in German. Write German."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Solve it.", r"lacks \$problem"),
        ("Solve $problem", r"shows \$problem without marks"),
        ("Solve <$mark>$problem</$mark> and $answer", r"has an unknown \$answer"),
        ("Solve <$mark>$problem</$mark> for 5 $", "cannot read"),
    ],
)
def test_a_prompt_that_cannot_work_is_refused_with_its_file(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "blind.md").write_text(text)
    with pytest.raises(Refusal, match=reason) as refused:
        load_prompt(verifier.PROMPTS / "blind.md", tmp_path)
    assert str(tmp_path / "blind.md") in str(refused.value)


@pytest.mark.parametrize(("name", "reason"), [("blnid.md", "blnid.md, which replaces no prompt"), (None, "no folder")])
def test_a_folder_of_no_use_is_refused_at_start(tmp_path: Path, name: str | None, reason: str) -> None:
    folder = tmp_path / "own"
    if name:
        folder.mkdir()
        (folder / name).touch()
    config = ModelsConfig.one(Endpoint(base_url="http://127.0.0.1:9/v1"), "m").model_copy(update={"prompts": folder})
    with pytest.raises(Refusal, match=reason):
        Models(config, "verifier-a")
