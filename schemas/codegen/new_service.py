"""Write the skeleton of a service: its folder, its entry in the flow, its event and its test.

python -m schemas.codegen.new_service NAME [--consumes problem.accepted] [--produces problem.tagged] [--model writer]

What it consumes is an event of the flow; what it produces is a new event, or nothing. With `--model` it calls the model
of a role, and has a prompt and a simulated answer too. Refuses a name that exists.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from string import Template

from schemas.codegen.deployment import prompt_names
from schemas.codegen.export import ROOT
from schemas.codegen.service_entries import SIMULATED, enter
from schemas.config.models_config import Roles
from schemas.events import Event, ItemEvent
from schemas.flow import BY_TYPE, SERVICES

SKELETON = Path(__file__).parent / "skeleton"
NAME = re.compile(r"[a-z][a-z0-9_]*")
EVENT = re.compile(r"[a-z]+\.[a-z]+")
ALWAYS = tuple(role for role, field in Roles.model_fields.items() if field.is_required())
"""Roles that have a model in every models file."""


def main() -> None:
    """Write the files, regenerate what follows from the flow, print what to do next. Exits 1 with a reason."""
    parser = argparse.ArgumentParser(prog="python -m schemas.codegen.new_service", description=(__doc__ or "")[:65])
    parser.add_argument("name", help="lower case, such as tagger: folder, deployment and consumer group")
    parser.add_argument("--consumes", default="problem.accepted", help="event of the flow (default: %(default)s)")
    parser.add_argument("--produces", default="", help="new event in the past tense, such as problem.tagged")
    parser.add_argument("--model", default="", help=f"role of the model that it calls: {', '.join(ALWAYS)}")
    given = parser.parse_args()
    if reason := refusal(given.name, given.consumes, given.produces, given.model):
        sys.exit(reason)
    written = write(ROOT, given.name, given.consumes, given.produces, given.model)
    tidy = (["ruff", "format", "--quiet"], ["ruff", "check", "--fix", "--exit-zero", "--quiet"])
    for command in (*tidy, tidy[0], ["schemas.export"]):
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)  # noqa: S603 - our own tools
    print("\n".join(f"wrote {path}" for path in written))  # noqa: T201
    what = "the prompt, the handler, the event's fields and the test" if given.model else "the handler and its test"
    tests = f"tests/architecture tests/unit tests/services/test_{given.name}.py tests/services/cli/test_check_models.py"
    print(f"Next: {what}, then  make check  and  make test ARGS='{tests}'")  # noqa: T201


def refusal(name: str, consumes: str, produces: str, model: str = "") -> str | None:
    """Why such a service cannot be made."""
    if not NAME.fullmatch(name):
        return f"{name!r} is not a name of a service: use lower case letters, digits and _"
    if name in {part for spec in SERVICES for part in (spec.name, spec.module)} or (ROOT / "services" / name).exists():
        return f"there is a service {name} already; choose another name"
    if consumes not in BY_TYPE:
        return f"there is no event {consumes}; there are {', '.join(BY_TYPE)}"
    if consumes not in _possible():
        reason = "carries no problem, is for one service, or has fields that the skeleton's test cannot make up"
        return f"{consumes} {reason}; take {', '.join(_possible())}"
    if produces and (not EVENT.fullmatch(produces) or produces in BY_TYPE):
        return f"{produces!r} is not a new event: use noun.verb in the past tense, of no event in the flow"
    if produces and not (ROOT / "schemas" / "events" / f"{produces.split('.')[0]}.py").exists():
        return f"there is no schemas/events/{produces.split('.')[0]}.py; begin it with a docstring"
    return _refusal_of_model(name, consumes, produces, model) if model else None


def _refusal_of_model(name: str, consumes: str, produces: str, model: str) -> str | None:
    if model not in ALWAYS:
        return f"{model!r} is not a role that always has a model; take {', '.join(ALWAYS)}"
    if not produces:
        return "a service that calls a model publishes the calls, which cost: say what it --produces"
    if _further_fields(consumes):
        plain = ", ".join(name for name in _possible() if not _further_fields(name))
        return f"{consumes} is more than a problem, which `chimera check models` gives the model; take {plain}"
    if name in prompt_names(ROOT) or f'"{_schema(name)}":' in (ROOT / SIMULATED / "registry.py").read_text():
        return f"there is a prompt or a simulated answer {name} already; choose another name"
    return None


def _possible() -> list[str]:
    """Events with a problem, for every consumer, of which the skeleton's test can make one."""
    return [
        name
        for name, flow in BY_TYPE.items()
        if issubclass(flow.event, ItemEvent) and flow.event.addressee is Event.addressee
        if None not in _further_fields(name).values()
    ]


def _further_fields(consumes: str) -> dict[str, object]:
    """Values for the fields that an event needs beside its problem; `None` for one that cannot be made up."""
    values: dict[object, object] = {bool: True, str: "a test"}
    fields = BY_TYPE[consumes].event.model_fields.items()
    return {
        name: values.get(field.annotation)
        for name, field in fields
        if field.is_required() and name not in ItemEvent.model_fields
    }


def _schema(name: str) -> str:
    """The name of the form of the service's answers."""
    return name.replace("_", "")


def write(root: Path, name: str, consumes: str, produces: str, model: str = "") -> list[str]:
    """Write everything; returns the paths relative to `root`."""
    event = BY_TYPE[consumes].event.__name__
    made = "".join(part.title() for part in produces.split("."))
    title = "".join(part.title() for part in name.split("_"))
    words = {
        "name": name,
        "handler": f"Handle{title}",
        "title": title,
        "schema": _schema(name),
        "role": model,
        "made": made,
        "consumes": consumes,
        "produces": produces or "nothing",
        "event": event,
        "further": "".join(f", {name}={value!r}" for name, value in _further_fields(consumes).items()),
        "imports": ", ".join(sorted({event, "Event", made} - {""})),
        "result": f'[{made}.after(event, "{name}", problem_id=event.item.id)]' if made else "()",
        "tested": f"[{made}]" if made else "[]",
    }
    folder = root / "services" / name
    folder.mkdir()
    folders = (SKELETON, SKELETON / "model") if model else (SKELETON,)
    templates = {path.stem: path for of in folders for path in sorted(of.glob("*.tmpl"))}
    elsewhere = {
        "test.py": root / "tests" / "services" / f"test_{name}.py",
        "prompt.md": folder / "prompts" / f"{name}.md",
        "simulated.py": root / SIMULATED / f"{name}.py",
    }
    files = {elsewhere.get(stem, folder / stem): path for stem, path in templates.items()}
    for path, template in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(Template(template.read_text()).substitute(words))
    return [str(path.relative_to(root)) for path in [*files, *enter(root, words)]]


if __name__ == "__main__":
    main()
