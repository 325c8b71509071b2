"""Lua scripts. Valkey runs each as one atomic command. The module that sends a script explains its keys."""

from pathlib import Path


def script(*names: str) -> str:
    """Read scripts and join them: the first ones define the functions that the last one calls."""
    return "\n".join((Path(__file__).parent / f"{name}.lua").read_text("utf-8") for name in names)
