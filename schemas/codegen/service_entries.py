"""Enters a new service in the files that declare it: the flow, its event, and the model that it calls."""

import re
from collections.abc import Mapping
from pathlib import Path

FLOW = Path("schemas/flow.py")
EVENTS = Path("schemas/events")
MODELS_CONFIG = Path("schemas/config/models_config.py")
SIMULATED = Path("services/simulator/roles")
PROMPTS_PAGE = Path("docs/how-to/prompts.md")

OF_MODEL = '''
    found: str | None = None
    unable: str | None = None
    """Why there is no answer; `None` when there is one."""
    calls: tuple[Provenance, ...] = ()
'''
"""Fields of an event that is a model's answer."""


def enter(root: Path, words: Mapping[str, str]) -> list[Path]:
    """Enter the service of these words of the skeleton; returns the changed files."""
    changed = [_enter_flow(root, words)]
    changed += _enter_event(root, words) if words["made"] else []
    return changed + (_enter_model(root, words) if words["role"] else [])


def _enter_flow(root: Path, words: Mapping[str, str]) -> Path:
    path, name, made = root / FLOW, words["name"], words["made"]
    calls, kept = (', needs_models=True, plan=("budget", "language")', ", retained=True") if words["role"] else ("", "")
    text = _before(path.read_text(), ")\n\nSERVICE:", f'    ServiceSpec("{name}", "{name}"{calls}),\n')
    flow = re.compile(rf"(Flow\(\s*e\.{words['event']},\s*(?:\([^)]*\)|[A-Z_]+),\s*)(\([^)]*\)|[A-Z_]+)")
    text = flow.sub(lambda found: found[1] + _with_consumer(found[2], name), text, count=1)
    if made:
        text = _before(text, ")\n\nBY_TYPE", f'    Flow(e.{made}, ("{name}",), (){kept}),\n')
    if words["role"]:
        text = _before(text, ')\n"""Events that carry model calls.', f"    e.{made},\n")
    path.write_text(text)
    return path


def _with_consumer(consumers: str, name: str) -> str:
    """The source of a tuple of consumers, or the name of one, with another consumer."""
    inside = consumers.strip("()").rstrip(", ") if consumers.startswith("(") else f"*{consumers}"
    return f'({inside}, "{name}")' if inside else f'("{name}",)'


def _enter_event(root: Path, words: Mapping[str, str]) -> list[Path]:
    made, produces = words["made"], words["produces"]
    noun = produces.split(".")[0]
    module, package = root / EVENTS / f"{noun}.py", root / EVENTS / "__init__.py"
    event = f'class {made}(ProblemEvent):\n    """What {words["name"]} found out."""\n\n'
    event += f'    type: ClassVar[str] = "{produces}"\n' + (OF_MODEL if words["role"] else "")
    imports = "from typing import ClassVar\nfrom schemas.events.base import ProblemEvent\n"
    imports += "from schemas.item import Provenance\n" if words["role"] else ""
    docstring, rest = re.split(r'(?<=""")\n', module.read_text(), maxsplit=1)
    module.write_text(f"{docstring}\n\n{imports}{rest.lstrip()}\n\n{event}")
    text = _before(package.read_text(), "from schemas.events.", f"from schemas.events.{noun} import {made}\n")
    package.write_text(text.replace("__all__ = [", f'__all__ = ["{made}", ', 1))
    return [module, package]


def _enter_model(root: Path, words: Mapping[str, str]) -> list[Path]:
    """Enter the service in its role, its answer in the simulator, and its prompt in the page of prompts."""
    name, role = words["name"], words["role"]
    registry, folder = root / SIMULATED / "registry.py", root / SIMULATED / "__init__.py"
    config, page = root / MODELS_CONFIG, root / PROMPTS_PAGE
    services = re.compile(rf"(\n    {role}: Annotated\[.*?Role\(\([^)]*?),?\)", re.DOTALL)
    config.write_text(services.sub(rf'\1, "{name}")', config.read_text(), count=1))
    text = _before(
        registry.read_text(), "from services.", f"from services.simulator.roles.{name} import answer_{name}\n"
    )
    registry.write_text(_before(text, '}\n"""Task by', f'    "{words["schema"]}": answer_{name},\n'))
    folder.write_text(_before(folder.read_text(), '"""\n', f"{name}.py  answers {name}\n", last=True))
    row = f"| `{name}.md` | `{role}` | what {name} finds out | `services/{name}/prompts` |\n"
    page.write_text(_before(page.read_text(), "\nStart from", row))
    return [config, registry, folder, page]


def _before(text: str, mark: str, added: str, *, last: bool = False) -> str:
    """`text` with an addition before the first, or the last, of these marks. Raises ValueError without one."""
    at = text.rindex(mark) if last else text.index(mark)
    return text[:at] + added + text[at:]
