"""Settings of the connections: what fits together, what is refused, and that nobody reads a password by accident."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from shared.cache.client import connect
from shared.config.settings import Connections, Settings
from shared.errors import Refusal
from shared.kafka.admin.acls import Grant, commands, grants, kafka_users

SECRET = "hush"  # noqa: S105
LOGIN = {"kafka_sasl": "SCRAM-SHA-512", "kafka_username": "me", "kafka_password": SECRET}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"kafka_ca": "ca.pem"}, "CHIMERA_KAFKA_TLS"),
        ({"kafka_tls": True, "kafka_cert": "cert.pem"}, "CHIMERA_KAFKA_KEY"),
        ({"kafka_username": "me"}, "CHIMERA_KAFKA_SASL"),
        ({"kafka_password": SECRET}, "CHIMERA_KAFKA_SASL"),
        ({"kafka_sasl": "SCRAM-SHA-512", "kafka_username": "me"}, "CHIMERA_KAFKA_PASSWORD"),
        ({"kafka_sasl": "SCRAM-SHA-512", "kafka_password": SECRET}, "CHIMERA_KAFKA_USERNAME"),
        ({**LOGIN, "kafka_sasl": "GSSAPI"}, "SCRAM-SHA-512"),
        ({**LOGIN, "kafka_sasl": "PLAIN"}, "CHIMERA_KAFKA_TLS"),
        ({**LOGIN, "kafka_sasl": "OAUTHBEARER"}, "CHIMERA_KAFKA_TLS"),
        ({**LOGIN, "kafka_sasl": "OAUTHBEARER", "kafka_tls": True}, "CHIMERA_KAFKA_TOKEN_URL"),
        ({**LOGIN, "kafka_token_url": "https://issuer.example.org/token"}, "OAUTHBEARER"),
        ({**LOGIN, "kafka_password_file": "password"}, "CHIMERA_KAFKA_PASSWORD_FILE"),
        ({**LOGIN, "kafka_password": None, "kafka_password_file": "nowhere"}, "nowhere"),
        ({**LOGIN, "kafka_password": None, "kafka_password_file": "/dev/null"}, "empty"),
    ],
)
def test_contradicting_kafka_settings_are_refused_in_one_line(given: dict[str, Any], named: str) -> None:
    with pytest.raises(Refusal, match=named) as refused:
        _ = Connections(**given).kafka_access
    assert "\n" not in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"valkey": "redis://host", "valkey_ca": "ca.pem"}, "rediss://"),
        ({"valkey": "rediss://host", "valkey_ca": "nowhere.pem"}, "nowhere.pem"),
        ({"valkey": f"redis://:{SECRET}@host", "valkey_password": SECRET}, "both in the URL and separately"),
        ({"valkey": f"redis+sentinel://:{SECRET}@a:26379,b:26379"}, "sentinels and their primary"),
        ({"valkey": f"redis+sentinel://:{SECRET}@a,b/main/0"}, "sentinels and their primary"),
        ({"valkey": f"host:{SECRET}"}, "not a valid Valkey URL"),
        ({"valkey": f"redis://:{SECRET}@host:many"}, "not a valid Valkey URL"),
    ],
)
def test_contradicting_valkey_settings_are_refused_in_one_line(given: dict[str, Any], named: str) -> None:
    with pytest.raises(Refusal, match=named) as refused:
        connect(Connections(**given).valkey_access)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None or SECRET not in str(refused.value.__cause__)


def test_files_that_are_no_certificates_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "file.pem"
    file.write_text("nothing")
    cases: list[dict[str, Any]] = [{"kafka_ca": file}, {"kafka_cert": file, "kafka_key": file}]
    for given in cases:
        access = Connections(kafka_tls=True, **given).kafka_access
        assert access.tls
        with pytest.raises(Refusal, match=r"file\.pem"):
            access.tls.context()


def test_no_text_of_the_settings_shows_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHIMERA_KAFKA_PASSWORD", SECRET)
    monkeypatch.setenv("CHIMERA_VALKEY", f"redis://:{SECRET}@host:1/0")
    settings = Settings(service="probe", kafka_sasl="SCRAM-SHA-512", kafka_username="me")
    kafka, valkey = settings.kafka_access, settings.valkey_access
    assert kafka.login
    assert kafka.login.password.get_secret_value() == SECRET
    for text in (settings, kafka, valkey, settings.model_dump(), settings.model_dump_json(), connect(valkey)):
        assert SECRET not in f"{text} {text!r}"
    with pytest.raises(ValidationError) as wrong:
        Settings()
    assert SECRET not in str(wrong.value)


def test_a_password_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{SECRET}\n")
    given: dict[str, Any] = {**LOGIN, "kafka_password": None, "kafka_password_file": tmp_path / "password"}
    login = Connections(**given).kafka_access.login
    assert login
    assert login.password.get_secret_value() == SECRET


def test_the_aggregator_may_do_this_and_nothing_else() -> None:
    def may(operation: Any, *names: str) -> set[Grant]:
        return {Grant("User:f.aggregator", operation, "topic", f"f.{name}") for name in names}

    kept = (
        "solution.checked",
        "problem.rejected",
        "sample.deleted",
        "audit.judged",
        "problem.reverified",
        "problem.resolved",
        "problem.reprobed",
        "problem.reviewed",
    )
    released = ("dataset.released", "belief.estimated", "training.triggered")
    writes = ("sample.curated", *released, "problem.parked", "aggregator-published")
    assert {grant for grant in grants("f") if grant.principal == "User:f.aggregator"} == {
        *may("Read", *kept, "aggregator-published", "incarnations"),
        *may("Write", *writes, "dead-letters"),
        Grant("User:f.aggregator", "Read", "group", "f.aggregator"),
    }


def test_strimzi_gets_a_user_for_each_principal_with_a_legal_name() -> None:
    granted = grants("f", "User:{factory}-{name}")
    users = {user["metadata"]["name"]: user for user in kafka_users(granted, "k")["items"]}
    assert {f"User:{name}" for name in users} == {grant.principal for grant in granted}
    assert users["f-problem-writer"]["metadata"]["labels"] == {"strimzi.io/cluster": "k"}
    acls = users["f-cli"]["spec"]["authorization"]["acls"]
    assert acls[0] == {"resource": {"type": "topic", "name": "f.", "patternType": "prefix"}, "operations": ["All"]}
    with pytest.raises(Refusal, match="problem_writer"):
        kafka_users(grants("f"), "k")


def test_the_operator_may_act_on_its_factory_only_under_any_user_name() -> None:
    lines = list(commands(grants("f", "User:CN={service}.{factory}")))
    assert lines[-1].endswith(
        "--allow-principal User:CN=cli.f --operation All --resource-pattern-type prefixed --topic f. --group f."
    )
    assert all("--topic f." in line for line in lines)
