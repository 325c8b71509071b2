"""`chimera logs SERVICE`: prints the JSON lines of its processes in the order of time."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import Console
from rich.text import Text

from shared.errors import Refusal
from shared.text.controls import strip_controls

POLL_S = 0.2
BLOCK_BYTES = 1 << 16
STYLES = {"warning": "yellow", "error": "red", "critical": "bold red"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log. `time` is empty for lines that are not JSON: Kafka's, Valkey's, a traceback at the start."""

    process: str
    text: str

    @property
    def fields(self) -> dict[str, Any]:
        try:
            fields = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return fields if isinstance(fields, dict) else {}

    @property
    def time(self) -> str:
        return str(self.fields.get("time", ""))


def logs(directory: Path, service: str, *, follow: bool, last: int, as_json: bool) -> None:
    """Print the last lines, then new ones until interrupted. Raises Refusal when there is no such log."""
    files = files_of(directory / "logs", service)
    console, many = Console(highlight=False), len(files) > 1
    sizes = {file: file.stat().st_size for file in files}
    for line in recent(files, last):
        _print(console, line, many, as_json)
    while follow:
        for line in _new(files, sizes):
            _print(console, line, many, as_json)
        time.sleep(POLL_S)


def files_of(folder: Path, service: str) -> list[Path]:
    """Return the logs of all processes of a service, or of one process such as `synthesis-2`."""
    logs = {path.stem: path for path in sorted(folder.glob("*.log"), key=lambda path: path.stem)}
    matches = [path for name, path in logs.items() if name == service or name.removeprefix(f"{service}-").isdecimal()]
    if not matches:
        next_step = f"Choose one of {', '.join(logs)}" if logs else "Start the stack with `chimera up`"
        raise Refusal(f"there is no log of {service!r} in {folder}", next_step)
    return matches


def recent(files: Sequence[Path], count: int) -> list[Line]:
    """Return the last `count` lines of several logs, oldest first. A line without time follows the line before it."""
    stamped = []
    for file in files:
        stamp = ""
        for number, line in enumerate(_tail(file, count)):
            stamp = line.time or stamp
            stamped.append((stamp, file.stem, number, line))
    return [line for *_, line in sorted(stamped, key=lambda one: one[:3])][-count:] if count else []


def _tail(file: Path, count: int) -> list[Line]:
    with file.open("rb") as opened:
        position, content = opened.seek(0, 2), b""
        while position and content.count(b"\n") <= count:
            step = min(BLOCK_BYTES, position)
            position -= step
            opened.seek(position)
            content = opened.read(step) + content
    return [Line(file.stem, text) for text in _lines(content)[-count:]]


def _new(files: Sequence[Path], read: dict[Path, int]) -> Iterator[Line]:
    """Yield new complete lines. A log that is shorter than before is read from its start."""
    for file in files:
        try:
            with file.open("rb") as opened:
                yield from (Line(file.stem, text) for text in _read_new(opened, file, read))
        except FileNotFoundError:
            continue  # rotated between two runs


def _read_new(opened: BinaryIO, file: Path, read: dict[Path, int]) -> list[str]:
    if opened.seek(0, 2) < read[file]:
        read[file] = 0
    opened.seek(read[file])
    content = opened.read()
    complete = content[: content.rfind(b"\n") + 1]
    read[file] += len(complete)
    return _lines(complete)


def _lines(content: bytes) -> list[str]:
    """Lines end at a line feed alone: a message may hold other separators."""
    return content.decode(errors="replace").rstrip("\n").split("\n") if content else []


def _print(console: Console, line: Line, many: bool, as_json: bool) -> None:
    if as_json:
        console.print(Text(as_json_line(line)), soft_wrap=True)
    else:
        console.print(rendered(line, many), soft_wrap=True)


def as_json_line(line: Line) -> str:
    """Return a line as one JSON object; a line that is not one becomes its `message`."""
    if line.fields and line.text.isprintable():
        return line.text
    return json.dumps(line.fields or {"service": line.process, "message": line.text})


def rendered(line: Line, many: bool) -> Text:
    """Return a line for a person: time, level, process, event, message."""
    fields = line.fields
    if not fields:
        return Text(strip_controls(line.text), "dim")
    level = str(fields.get("level", ""))
    text = Text(f"{line.time[11:23]} ", "dim").append(f"{level[:7].upper():7} ", STYLES.get(level, "dim"))
    if many:
        text.append(f"{line.process:14} ", "cyan")
    text.append(f"{str(fields.get('event_id', ''))[:8]:8} ", "dim")
    text.append(strip_controls(str(fields.get("message", ""))))
    if trace := fields.get("traceback"):
        text.append("\n" + strip_controls(str(trace)), "dim")
    return text
