"""How many calls an endpoint takes at once, found out: additive increase, multiplicative decrease.

What is measured is the *share of place-time that bore nothing*: calls that were refused and rest, tries that ended in a
refusal or a time-out. A server with 16 places under a limit of 64 shows 48/64, so one cut, by that share, lands on 16;
one refusal in ten that comes by chance shows a few per cent and cuts nothing, however often the refused ask again.

An epoch is `limit` calls decided: taken, at the first token, so that long calls are no slow teachers, or wasted. Slow
start doubles; afterwards an epoch without waste grows by a step that doubles while all goes well (up to a quarter, so
that an overshoot stays below a cut). A server that tells its queue (load.py) is believed above all: growth waits for a
reading that shows room, a long queue is cut by its share.
"""

from dataclasses import dataclass

START = 16
"""First limit; a server that takes fewer says so at once."""
GROWS, CUTS, PLAIN = 0.05, 0.2, 0.5
"""Shares of waste: grow up to the first, cut above the second; above the third no sample is too small."""
SAMPLE = 32
"""Calls decided before a cut, after slow start, so that chance does not steer."""
CACHE_FULL = 0.95
"""Share of the KV cache above which more calls would only be preempted."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a server tells of itself. `cache` is the share of its KV cache in use, 0 to 1."""

    running: float
    waiting: float
    cache: float = 0.0

    @property
    def excess(self) -> float:
        """Share of its calls that wait without use: a few may, so that no place is ever free."""
        few = 4 + self.running // 16
        return max(self.waiting - few, 0.0) / max(self.running + self.waiting, 1.0)

    @property
    def room(self) -> bool:
        return self.waiting < 1 and self.cache <= CACHE_FULL


class AimdLimit:
    """The limit. Times are seconds of one clock; `inside` is how many calls have a place now."""

    def __init__(self, ceiling: int) -> None:
        self.limit = min(START, ceiling)
        self._ceiling = ceiling
        self._slow = True
        self._step = 1
        self._room = True
        """What the last reading said; True where a server tells nothing."""
        self._told = self._stale = False
        """Whether there was a reading; whether it was before the last change of the limit."""
        self._now = 0.0
        self._begin()

    def _begin(self) -> None:
        """Begin an epoch."""
        self._began = self._now
        self._decided = 0
        self._held_s = self._wasted_s = 0.0
        self._most = 0

    def advance(self, now: float, inside: int, resting: int) -> None:
        """Account for the time up to now, through which so many calls had a place, of which some rested."""
        elapsed, self._now = now - self._now, now
        self._held_s += elapsed * inside
        self._wasted_s += elapsed * resting
        if inside > self._most:
            self._most = inside

    def record(self, inside: int, wasted_s: float = 0.0) -> None:
        """Count a call that was taken, or a try that wasted its time."""
        self._decided += 1
        self._wasted_s += min(wasted_s, self._now - self._began)
        self._judge(inside)

    def observe_load(self, load: Load | None, inside: int) -> None:
        """Take a reading; None: the server tells nothing (any more)."""
        self._told, self._stale = load is not None, False
        self._room = load is None or load.room
        if load and load.excess and inside <= self.limit:
            self._cut(load.excess)
        self._judge(inside)

    @property
    def wants_reading(self) -> bool:
        """Whether only a reading is missing for it to grow."""
        return self._stale and self._decided >= self.limit

    def snapshot(self) -> tuple[int, bool]:
        """What `restore` takes."""
        return self.limit, self._slow

    def restore(self, mark: tuple[int, bool]) -> None:
        """Go back to a limit that was there before."""
        self.limit, self._slow = mark
        self._changed(1)

    def _judge(self, inside: int) -> None:
        """End the epoch when it has shown enough, but not before the last change has come into effect."""
        if self._decided < self.limit or inside > self.limit:
            return
        share = min(self._wasted_s / self._held_s, 1.0) if self._held_s else 0.0
        if share <= (CUTS if self._slow else GROWS):
            self._grow()
        elif self._slow or share > PLAIN or self._decided >= SAMPLE:
            if share > CUTS:
                self._cut(share)
            else:
                self._changed(1)

    def _grow(self) -> None:
        """Grow if all places were in use; where the server tells its load, when it has said that there is room."""
        if self._most < self.limit:
            self._begin()
        elif self._room and not self._stale:
            step = self.limit if self._slow else min(self._step, max(self.limit // 4, 1))
            self.limit = min(self.limit + step, self._ceiling)
            self._changed(2 * self._step)

    def _cut(self, share: float) -> None:
        """Cut what was in use, for that is what the share is of; never by more than three quarters at once."""
        used = min(self.limit, self._most or self.limit)
        self.limit = max(round(used * max(1 - share, 0.25)), 1)
        self._slow = False
        self._changed(1)

    def _changed(self, step: int) -> None:
        """Begin an epoch."""
        self._step, self._stale = step, self._told
        self._begin()
