"""Process that compares by algebra: `python -m shared.answers.worker LIMIT_S`; a JSON line in, a JSON line out.

    {"id": 1, "pair": [key, answer, type]}   →   {"id": 1, "found": [agrees, method, reason]}

It forks a child for each pair, so that pairs are worked on side by side and none pays for another's memory or time.
The kernel's own timer ends a child that takes too long, whatever Python or C code is running. It counts CPU time, so
that a busy machine changes no outcome; and it bounds how long a child can outlive its parents.
"""

import json
import logging
import os
import resource
import selectors
import signal
import sys
from collections import deque

from shared.answers.rules.algebra import Algebra
from shared.answers.rules.decide import decide

MEMORY = 1 << 30
"""Bytes of address space of a child, on top of what it begins with."""
CHILDREN = 4
"""Pairs that are worked on at a time; further ones wait in order."""
DEPTH = 3000
"""Levels of Python calls: sympy nests deeply."""
_WARM = (("x^2-1", "(x-1)(x+1)"), ("\\sin^2 x+\\cos^2 x", "1"), ("x+1", "x+2"), ("\\sqrt{8}", "2\\sqrt{2}"),
         ("\\sum_{k=1}^{n} k", "\\frac{n(n+1)}{2}"), ("x+y=1", "2x+2y=2"))  # fmt: skip
"""Compared before the first pair: what is imported and computed at first use is not a pair's fault."""


def compare(key: str, answer: str, answer_type: str) -> tuple[str, str, str]:
    """What the rules and algebra find. Never raises."""
    try:
        result = decide(key, answer, answer_type, Algebra()).result
    except MemoryError:
        return "unsure", "symbolic", "took too much memory"
    except Exception as error:  # noqa: BLE001 - libraries raise anything for what a model wrote
        return "unsure", "symbolic", f"cannot be compared ({type(error).__name__})"
    return result.agrees, result.method, result.reason


class Server:
    """Reads pairs from standard input, forks, and writes what the children found."""

    def __init__(self, limit_s: float, replies: int) -> None:
        self.limit_s = limit_s
        self.replies = replies
        self.selector = selectors.DefaultSelector()
        self.waiting: deque[tuple[int, list[str]]] = deque()
        self.children: dict[int, tuple[int, int, bytes]] = {}
        """By the pipe it answers through: id of the pair, process id, what it has written so far."""

    def run(self) -> None:
        """Serve until standard input ends."""
        self.selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        rest = b""
        while True:
            for ready, _ in self.selector.select():
                if ready.fd != sys.stdin.fileno():
                    self._hear(ready.fd)
                    continue
                data = os.read(ready.fd, 1 << 16)
                if not data:
                    self._end()
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    request = json.loads(line)
                    self.waiting.append((request["id"], request["pair"]))
            while self.waiting and len(self.children) < CHILDREN:
                self._fork(*self.waiting.popleft())

    def _fork(self, number: int, pair: list[str]) -> None:
        reads, writes = os.pipe()
        process = os.fork()
        if not process:
            self._work(pair, writes)
        os.close(writes)
        self.children[reads] = (number, process, b"")
        self.selector.register(reads, selectors.EVENT_READ)

    def _work(self, pair: list[str], writes: int) -> None:
        """In the child: compare, within limits, and end."""
        try:
            os.close(sys.stdin.fileno())
            used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY + 2 * used, MEMORY + 2 * used))
            signal.setitimer(signal.ITIMER_PROF, self.limit_s)
            os.write(writes, json.dumps(compare(*pair)).encode())
        finally:
            os._exit(0)

    def _hear(self, pipe: int) -> None:
        number, process, written = self.children[pipe]
        data = os.read(pipe, 1 << 16)
        if data:
            self.children[pipe] = (number, process, written + data)
            return
        self.selector.unregister(pipe)
        os.close(pipe)
        del self.children[pipe]
        _, status = os.waitpid(process, 0)
        try:
            result = json.loads(written)
        except ValueError:
            late = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF
            why = f"gave up after {self.limit_s:g} s of CPU time" if late else "the comparison crashed"
            result = ["unsure", "symbolic", why]
        reply = json.dumps({"id": number, "found": result}).encode() + b"\n"
        while reply:
            reply = reply[os.write(self.replies, reply) :]

    def _end(self) -> None:
        for _, process, _ in self.children.values():
            os.kill(process, signal.SIGKILL)


def main(limit_s: float) -> None:
    """Serve. Writes `ready` first."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    logging.disable()
    sys.setrecursionlimit(DEPTH)
    replies = os.dup(sys.stdout.fileno())
    os.dup2(
        os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
    )  # libraries print; replies have a channel of their own
    for key, answer in _WARM:
        compare(key, answer, "expression")
    os.write(replies, b"ready\n")
    Server(limit_s, replies).run()


if __name__ == "__main__":
    main(float(sys.argv[1]))
