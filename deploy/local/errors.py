"""The one error of the one-machine stack: what is wrong, and what to do about it."""


class StackError(Exception):
    """The stack cannot start or cannot go on.

    `message` is one line for a person; `next_step` says what to do; `log` has the last lines of the process at fault.
    """

    def __init__(self, message: str, next_step: str, log: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.log = log

    def __str__(self) -> str:
        lines = [f"{self.message}. Next step: {self.next_step}."]
        return "\n".join(lines + [f"  | {line}" for line in self.log.splitlines()])
