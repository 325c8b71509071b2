"""Runs a function in a process of its own, which ends with it.

The file system of deltalake, on an object store, holds Python's lock while the store is silent: for three minutes
nothing else would run, not even the heartbeat.
"""

from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

from shared.errors import Transient

P = ParamSpec("P")
T = TypeVar("T")


def call_separately(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Return what a function returns. Raises Transient, also when its process ends without an answer."""
    spawn = get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_send, args=(sender, work, arguments, named), daemon=True)
    process.start()
    sender.close()
    with receiver:
        try:
            result: T | Transient = receiver.recv()
        except EOFError as error:
            process.join()
            reason = f"{work.__name__} failed in its process, which exited with {process.exitcode}: see the log above"
            raise Transient(reason) from error
    process.join()
    if isinstance(result, Transient):
        raise result
    return result


def _send(sender: Connection, work: Callable[..., object], arguments: Sequence[Any], named: Mapping[str, Any]) -> None:
    with sender:
        try:
            sender.send(work(*arguments, **named))
        except Transient as error:
            sender.send(error)
