"""Graders of other libraries, applied to pairs: run by `tests.bench.answers` with a Python of a throw-away environment.

Reads JSON [[key, answer], …] and writes JSON {grader: [true, false or null, …]}. Needs math-verify, and the files of
TRL and verl: their packages are not imported whole, which would want torch.
"""

import json
import logging
import sys
import types
from collections.abc import Callable
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

Grade = Callable[[str, str], bool | None]


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ImportError(name)
    return Path(spec.origin).parent


def _load(name: str, file: Path) -> Any:
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def math_verify() -> Grade:
    """math-verify alone, as its README shows it."""
    from math_verify import parse, verify

    return lambda key, answer: bool(verify(parse(f"${key}$"), parse(f"${answer}$")))


def trl() -> Grade:
    """TRL's `accuracy_reward`; None where it cannot read the key."""
    folder = _package("trl")
    for name in ("trl", "trl.rewards"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    utils: Any = types.ModuleType("trl.import_utils")
    utils.is_math_verify_available = lambda: True
    sys.modules["trl.import_utils"] = utils
    reward = _load("trl.rewards.accuracy_rewards", folder / "rewards" / "accuracy_rewards.py").accuracy_reward

    def grade(key: str, answer: str) -> bool | None:
        [found] = reward([[{"role": "assistant", "content": rf"So \boxed{{{answer}}}"}]], [f"${key}$"])
        return None if found is None else found == 1.0

    return grade


def verl() -> Grade:
    """Verl's `math_reward`, its default for problems of mathematics."""
    score = _load("verl_math_reward", _package("verl") / "utils" / "reward_score" / "math_reward.py").compute_score
    return lambda key, answer: bool(score(rf"So \boxed{{{answer}}}", key) == 1.0)


def main() -> None:
    """Grade every pair by every grader."""
    logging.disable()
    pairs = json.load(sys.stdin)
    replies = sys.stdout
    sys.stdout = sys.stderr
    found: dict[str, list[bool | None]] = {}
    for name, build in (("math-verify", math_verify), ("trl", trl), ("verl", verl)):
        grade = build()
        verdicts: list[bool | None] = []
        for key, answer in pairs:
            try:
                verdicts.append(grade(key, answer))
            except Exception:  # noqa: BLE001 - a grader that fails has no verdict
                verdicts.append(None)
        found[name] = verdicts
    json.dump(found, replies)


if __name__ == "__main__":
    main()
