"""The models file: its error messages, which roles may share a model, which models a folder resumes with."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from schemas.config.models_config import ROLES, Endpoint, ModelsConfig, Price, RoleModel, Roles
from schemas.flow import SERVICES
from schemas.item import Item, Step
from services.cli.__main__ import app
from services.cli.check.model_check import COLUMNS
from services.cli.common import models_config, options
from services.cli.common.run_config import RunConfig
from services.cli.run.command import headline
from shared.errors import Refusal
from shared.llm import load_models_config
from tests.support.fake_models import item, provenance

PASTED = "sk-pasted-by-mistake"
GOOD = """\
endpoints:
  one: {base_url: http://one/v1}
  two: {base_url: http://two/v1}
roles:
  writer: {endpoint: one, model: big}
  verifier_a: {endpoint: two, model: a}
  verifier_b: {endpoint: two, model: b}
  solver: {endpoint: one, model: long}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "models.yaml"
    path.write_text(text)
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    path = written(folder, text)
    with pytest.raises(Refusal) as refusal:
        load_models_config(path)
    assert PASTED not in str(refusal.value)
    return refusal.value.message.replace(f"{path}:", "").splitlines()


def chimera(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_all_errors_are_reported_together_with_line_and_key_and_no_secret(tmp_path: Path) -> None:
    text = f"""\
endpoints:
  one: {{base_url: "https://me:{PASTED}@one/v1", api_key: {PASTED}}}
  two: {{base_url: http://two/v1, key_env: {PASTED}, idle_s: 0}}
  both: {{base_url: http://three/v1, key_env: MY_KEY, key_file: key.txt}}
roles:
  writer: {{endpoint: onee, model: big, temprature: 1}}
  verifer_a: {{endpoint: two, model: a}}
  verifier_b: {{endpoint: three, model: b, price: {{inptu: 1}}}}
  solver:
    endpoint: two
    model: long
    model: longer
    max_tokens: {PASTED}
"""
    assert mistakes(tmp_path, text) == [
        "2: endpoints.one.api_key: no such key",
        "2: endpoints.one.base_url: is not an address like http://127.0.0.1:8000/v1, without user or query",
        "3: endpoints.two.idle_s: should be greater than 0",
        "3: endpoints.two.key_env: is not the name of an environment variable like MY_KEY; the key does not go here",
        "4: endpoints.both: key_env and key_file are both set: remove one of them",
        "5: roles.verifier_a: is missing",
        "6: roles.writer.endpoint: no endpoint 'onee'; did you mean one?",
        "6: roles.writer.temprature: no such key; did you mean temperature?",
        "7: roles.verifer_a: no such key; did you mean verifier_a?",
        "8: roles.verifier_b.endpoint: no endpoint 'three'; there are one, two, both",
        "8: roles.verifier_b.price.inptu: no such key; did you mean input?",
        "8: roles.verifier_b.price.input: is missing",
        "8: roles.verifier_b.price.output: is missing",
        "12: roles.solver.model: duplicate key; the first is in line 11",
        "13: roles.solver.max_tokens: should be a valid integer, unable to parse string as an integer",
    ]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("- a\n", "1: a models file is a mapping with endpoints and roles"),
        ("endpoints: {}\nroles: 3\n", "1: endpoints: Dictionary should have at least 1 item after validation, not 0"),
        (GOOD + "judge: x\n", "9: judge: no such key"),
        (GOOD + "  base: 3\n", "9: roles.base: should be a valid dictionary or instance of RoleModel"),
    ],
)
def test_a_file_of_another_shape_is_refused_too(tmp_path: Path, text: str, reported: str) -> None:
    assert mistakes(tmp_path, text)[0] == reported


def test_paths_in_the_file_start_from_its_folder(tmp_path: Path) -> None:
    keyed = GOOD.replace("http://two/v1", "http://two/v1, key_file: secrets/two, ca: ca.pem")
    place = load_models_config(written(tmp_path, keyed)).endpoints["two"]
    assert (place.key_file, place.ca) == (tmp_path / "secrets" / "two", tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("role", "other", "line"),
    [("verifier_a", "writer", 6), ("verifier_b", "writer", 7), ("verifier_b", "verifier_a", 7), ("judge", "solver", 9)],
)
def test_roles_that_check_each_other_need_two_models_unless_allowed(
    tmp_path: Path, role: str, other: str, line: int
) -> None:
    places = {"one": Endpoint(base_url="http://one/v1"), "same": Endpoint(base_url="http://one/v1/")}
    parts = {name: RoleModel(endpoint="one", model=name) for name in ROLES}
    parts[role] = RoleModel(endpoint="same", model=other)
    entries = [f"  {name}: {{endpoint: {part.endpoint}, model: {part.model}}}" for name, part in parts.items()]
    head = ["endpoints:", *(f"  {name}: {{base_url: {place.base_url}}}" for name, place in places.items()), "roles:"]
    text = "\n".join([*head, *entries, ""])
    [reported] = mistakes(tmp_path, text)
    assert reported.startswith(f"{line}: roles.{role}: the same model as {other} ({other} at http://one/v1)")
    assert "write `allow_shared: true`" in reported
    allowed = load_models_config(written(tmp_path, text + "allow_shared: true\n"))
    assert allowed.shared() == [(other, role)]


def test_one_name_at_two_addresses_is_accepted_with_a_warning(
    tmp_path: Path,
) -> None:
    text = GOOD.replace("two, model: a", "two, model: big") + "  base: {endpoint: two, model: b}\n"
    cast = load_models_config(written(tmp_path, text))
    assert cast.shared_roles() == {"big": ["writer", "verifier_a"]}
    assert [line for line in models_config.dependence(cast) if "big has the roles writer and verifier_a" in line]


def of(*calls: tuple[str, str]) -> Item:
    """An item that these roles and models worked on."""
    made = tuple(provenance().with_(role=role, model=model) for role, model in calls)
    step = Step(service="test", event=item().id, type="test", calls=made)
    return item().with_(lineage=(step,))


def test_a_row_is_independent_when_each_of_its_roles_has_its_own_model() -> None:
    apart = [("problem_writer", "w"), ("verifier-a", "a"), ("verifier-a", "a"), ("verifier-b", "b"), ("synthesis", "s")]
    assert of(*apart).independent
    assert of(*apart, ("probe", "s")).independent
    assert not of(*apart, ("answer_checker", "s")).independent
    assert not of(("problem_writer", "w"), ("verifier-a", "w"), ("verifier-b", "b")).independent
    assert not of(*apart, ("verifier-a", "w")).independent, "another model later does not undo it"


def test_an_order_with_a_models_file_reaches_the_services_whole(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    text = GOOD.replace("http://two/v1", "http://two/v1, key_file: two.key, at_once: 7")
    order = ordered(folder, models=written(tmp_path, text))
    again = RunConfig.from_json(order.to_json())
    assert again.models
    models_config.write(folder, again.plan, again.models)
    env = {process.name: process.env for process in models_config.services(folder, again.models)}
    read = load_models_config(Path(env["verifier-b"]["CHIMERA_MODELS"]))
    assert read == load_models_config(tmp_path / "models.yaml")
    assert (read.endpoints["two"].key_file, read.endpoints["two"].max_concurrency) == (tmp_path / "two.key", 7)
    assert not order.simulated


def test_only_services_that_call_models_inherit_their_keys(tmp_path: Path) -> None:
    models = ModelsConfig.one(Endpoint(base_url="http://one/v1", key_env="KEY_ONE"), "m")
    inherits = {process.name: process.inherits for process in models_config.services(tmp_path, models)}
    assert {name for name, patterns in inherits.items() if "KEY_ONE" in patterns} == {
        service.name for service in SERVICES if service.models
    }
    assert {name for name, patterns in inherits.items() if "AWS_*" in patterns} == {"aggregator"}


def ordered(folder: Path, **options_: Any) -> RunConfig:
    given = {"plan": None, "rows": None, "models": None, "base_url": "", "model": "", "api_key_env": "", "seed": None}
    return options.run_config_of(**{**given, **options_}, directory=folder)


def test_a_folder_continues_with_its_own_models_and_a_change_is_announced(tmp_path: Path) -> None:
    first = ordered(tmp_path, models=written(tmp_path, GOOD))
    assert first.models
    models_config.write(tmp_path, first.plan, first.models)
    again = ordered(tmp_path)
    assert again.models == first.models
    assert not [line for line, style in headline(again) if style == "yellow"]
    other = ordered(tmp_path, models=written(tmp_path, GOOD.replace("model: a}", "model: newer}")))
    assert f"Other models than before in {tmp_path}: verifier_a was a. Rows name their model." in dict(headline(other))
    assert chimera("run", "--seed", "3", "--dir", str(tmp_path))[0] == 2


def test_a_simulated_folder_restarts_simulated_and_refuses_a_real_model(tmp_path: Path) -> None:
    models_config.write(tmp_path, ordered(tmp_path).plan, models_config.simulated(4711))
    assert ordered(tmp_path).models is None
    status, output = chimera("run", "--models", str(written(tmp_path, GOOD)), "--dir", str(tmp_path))
    assert status == 1
    assert "contains rows of simulated models" in output


def test_one_model_for_all_is_allowed_and_announced(tmp_path: Path) -> None:
    order = ordered(tmp_path, base_url="http://one/v1", model="m")
    assert order.models
    models_config.write(tmp_path, order.plan, order.models)
    assert load_models_config(tmp_path / "models.json") == order.models
    assert any("One model writes, verifies and solves" in line for line, _ in headline(order))


def test_models_and_a_single_model_exclude_each_other(tmp_path: Path) -> None:
    path = str(written(tmp_path, GOOD))
    for more in (["--model", "m"], ["--base-url", "http://one/v1"], ["--api-key-env", "KEY"], ["--seed", "1"]):
        assert chimera("run", "--models", path, *more, "--dir", str(tmp_path / "new"))[0] == 2


def test_the_generated_schema_helps_an_editor() -> None:
    schema = json.loads(Path("schemas/generated/models.json").read_text())
    assert schema == ModelsConfig.model_json_schema()
    assert set(schema["$defs"]["Roles"]["properties"]) == set(Roles.model_fields) == set(ROLES)


PAGE = Path("docs/how-to/models.md").read_text()


MODELS: dict[str, type[BaseModel]] = {"endpoints": Endpoint, "roles": RoleModel, "price": Price}


def fields(model: type[BaseModel], at: str = "") -> dict[str, str]:
    """Every field that a person may write, by its path, with its default as the reference shows it."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        default = json.dumps(field.default).strip('"') if not field.is_required() else ""
        shown = "required" if field.is_required() else "" if default in ("null", "{}") else f"`{default}`"
        inner = MODELS.get(name)
        below = {"endpoints": ".NAME", "roles": ".ROLE"}.get(name, "")
        found |= {f"{at}{name}": shown, **(fields(inner, f"{at}{name}{below}.") if inner else {})}
    return found


def test_the_reference_shows_every_field_with_its_default_and_no_other() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| .+? \| (.*?) \|", Path("docs/reference/models.md").read_text(), re.M)
    roles = {f"roles.{name}" for name in ROLES}
    assert {key: default.strip() for key, default in rows if key not in roles} == fields(ModelsConfig)
    assert roles < {key for key, _ in rows}


def test_the_files_on_the_page_are_accepted_and_its_table_is_the_command_s(tmp_path: Path) -> None:
    files = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    casts = [load_models_config(written(tmp_path, text)) for text in files]
    assert [bool(cast.shared_roles()) for cast in casts] == [True, False, False, False]
    header = next(line for line in PAGE.splitlines() if line.startswith("role   "))
    assert tuple(re.split(r"\s{2,}", header)) == COLUMNS


@pytest.mark.parametrize("key", ["at_once", "max_concurrency"])
def test_the_concurrency_limit_has_two_keys_and_is_written_by_the_old_one(key: str) -> None:
    config = ModelsConfig.one(Endpoint.model_validate({"base_url": "http://one/v1", key: 7}), "m")
    written_endpoint = json.loads(config.model_dump_json())["endpoints"]["default"]
    assert (config.endpoints["default"].max_concurrency, written_endpoint["at_once"]) == (7, 7)
    assert "max_concurrency" not in written_endpoint
    assert ModelsConfig.model_validate_json(config.model_dump_json()) == config
