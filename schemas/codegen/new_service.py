"""Write the skeleton of a service: its folder, its entry in the flow, its event and its test.

python -m schemas.codegen.new_service NAME [--consumes problem.accepted] [--produces problem.tagged]

What it consumes is an event of the flow; what it produces is a new event, or nothing. Refuses a name that exists.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from string import Template

from schemas.codegen.export import ROOT
from schemas.events import ItemEvent
from schemas.flow import BY_TYPE, SERVICES

SKELETON = Path(__file__).parent / "skeleton"
NAME = re.compile(r"[a-z][a-z0-9_]*")
EVENT = re.compile(r"[a-z]+\.[a-z]+")


def main() -> None:
    """Write the files, regenerate what follows from the flow, print what to do next. Exits 1 with a reason."""
    parser = argparse.ArgumentParser(prog="python -m schemas.codegen.new_service", description=(__doc__ or "")[:65])
    parser.add_argument("name", help="lower case, such as tagger: folder, deployment and consumer group")
    parser.add_argument("--consumes", default="problem.accepted", help="event of the flow (default: %(default)s)")
    parser.add_argument("--produces", default="", help="new event in the past tense, such as problem.tagged")
    given = parser.parse_args()
    if reason := refusal(given.name, given.consumes, given.produces):
        sys.exit(reason)
    written = write(ROOT, given.name, given.consumes, given.produces)
    for command in (["ruff", "check", "--fix", "--quiet"], ["ruff", "format", "--quiet"], ["schemas.export"]):
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)  # noqa: S603 - our own tools
    print("\n".join(f"wrote {path}" for path in written))  # noqa: T201
    print("Next: the handler and its test, then  make check  and  make test ARGS='tests/architecture tests/unit'")  # noqa: T201


def refusal(name: str, consumes: str, produces: str) -> str | None:
    """Why such a service cannot be made."""
    if not NAME.fullmatch(name):
        return f"{name!r} is not a name of a service: use lower case letters, digits and _"
    if name in {part for spec in SERVICES for part in (spec.name, spec.module)} or (ROOT / "services" / name).exists():
        return f"there is a service {name} already; choose another name"
    if consumes not in BY_TYPE:
        return f"there is no event {consumes}; there are {', '.join(BY_TYPE)}"
    if not issubclass(BY_TYPE[consumes].event, ItemEvent):
        return f"{consumes} carries no problem, and the skeleton needs one; take {', '.join(_with_item())}"
    if produces and (not EVENT.fullmatch(produces) or produces in BY_TYPE):
        return f"{produces!r} is not a new event: use noun.verb in the past tense, of no event in the flow"
    if produces and not (ROOT / "schemas" / "events" / f"{produces.split('.')[0]}.py").exists():
        return f"there is no schemas/events/{produces.split('.')[0]}.py; begin it with a docstring"
    return None


def _with_item() -> list[str]:
    return [name for name, flow in BY_TYPE.items() if issubclass(flow.event, ItemEvent)]


def write(root: Path, name: str, consumes: str, produces: str) -> list[str]:
    """Write everything; returns the paths relative to `root`."""
    event = BY_TYPE[consumes].event.__name__
    made = "".join(part.title() for part in produces.split("."))
    words = {
        "name": name,
        "handler": "Handle" + "".join(part.title() for part in name.split("_")),
        "consumes": consumes,
        "produces": produces or "nothing",
        "event": event,
        "imports": ", ".join(sorted({event, "Event", made} - {""})),
        "result": f'[{made}.after(event, "{name}", problem_id=event.item.id)]' if made else "()",
        "tested": f"[{made}]" if made else "[]",
    }
    folder = root / "services" / name
    folder.mkdir()
    files = {folder / path.stem: path for path in sorted(SKELETON.glob("*.tmpl")) if path.stem != "test.py"}
    files[root / "tests" / "services" / f"test_{name}.py"] = SKELETON / "test.py.tmpl"
    for path, template in files.items():
        path.write_text(Template(template.read_text()).substitute(words))
    edited = [_enter_flow(root, name, event, made)]
    if made:
        edited += _enter_event(root, name, produces, made)
    return [str(path.relative_to(root)) for path in [*files, *edited]]


def _enter_flow(root: Path, name: str, event: str, made: str) -> Path:
    path = root / "schemas" / "flow.py"
    text = path.read_text()
    text = text.replace("\n)\n\nSERVICE:", f'\n    ServiceSpec("{name}", "{name}"),\n)\n\nSERVICE:', 1)
    flow = re.compile(rf"(Flow\(\s*e\.{event},\s*(?:\([^)]*\)|[A-Z_]+),\s*)(\([^)]*\)|[A-Z_]+)")
    text = flow.sub(lambda found: found[1] + _with_consumer(found[2], name), text, count=1)
    if made:
        text = text.replace("\n)\n\nBY_TYPE", f'\n    Flow(e.{made}, ("{name}",), ()),\n)\n\nBY_TYPE', 1)
    path.write_text(text)
    return path


def _with_consumer(consumers: str, name: str) -> str:
    """The source of a tuple of consumers, or the name of one, with another consumer."""
    inside = consumers.strip("()").rstrip(", ") if consumers.startswith("(") else f"*{consumers}"
    return f'({inside}, "{name}")' if inside else f'("{name}",)'


def _enter_event(root: Path, name: str, produces: str, made: str) -> list[Path]:
    noun = produces.split(".")[0]
    module, package = root / "schemas" / "events" / f"{noun}.py", root / "schemas" / "events" / "__init__.py"
    body = (
        f'\n\nclass {made}(ProblemEvent):\n    """What {name} found out."""\n\n    type: ClassVar[str] = "{produces}"\n'
    )
    text = module.read_text()
    if "ProblemEvent" not in text:
        text = re.sub(r"from schemas\.events\.base import ", "from schemas.events.base import ProblemEvent, ", text)
    module.write_text(f"{text}\n\n{body}")
    text = package.read_text()
    text = re.sub(rf"(from schemas\.events\.{noun} import \(?)", rf"\1{made}, ", text, count=1)
    package.write_text(text.replace("__all__ = [", f'__all__ = ["{made}", ', 1))
    return [module, package]


if __name__ == "__main__":
    main()
