"""How long one call goes on trying, and when it gives up. Decides; waits for nothing itself."""

import random
import time
from dataclasses import dataclass
from datetime import timedelta

from shared.clients.errors import Throttled, Upstream

FIRST_PAUSE = timedelta(seconds=0.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """What one call bears. A call that Graph makes wait longer than `throttled` in all is for its caller to repeat."""

    connect: timedelta = timedelta(seconds=10)
    read: timedelta = timedelta(seconds=60)  # between two pieces of an answer
    attempt: timedelta = timedelta(seconds=120)  # for a whole answer
    call: timedelta = timedelta(seconds=120)  # no further attempt after that
    throttled: timedelta = timedelta(seconds=30)
    throttles: int = 8  # for those who ask for no time at all, again and again
    faults: int = 3


class Waits:
    """The pauses of one call."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._started = time.monotonic()
        self._faults = self._throttles = 0
        self._waited = timedelta()

    def after(self, problem: Upstream) -> timedelta:
        """Return how long to wait before the next attempt. Raise the problem when it can't or shall not be mended."""
        if not problem.retryable or self._is_over():
            raise problem
        return self._throttled(problem) if isinstance(problem, Throttled) else self._faulty(problem)

    def _is_over(self) -> bool:
        return time.monotonic() - self._started > self._patience.call.total_seconds()

    def _throttled(self, problem: Throttled) -> timedelta:
        self._throttles += 1
        pause = _growing(2 * FIRST_PAUSE, self._throttles) if problem.retry_after is None else problem.retry_after
        if self._throttles > self._patience.throttles or self._waited + pause > self._patience.throttled:
            raise problem
        self._waited += pause
        return pause

    def _faulty(self, problem: Upstream) -> timedelta:
        self._faults += 1
        if self._faults > self._patience.faults:
            raise problem
        return _growing(FIRST_PAUSE, self._faults)


def _growing(first: timedelta, attempt: int) -> timedelta:
    """Twice as long each time, and never quite the same, so that many don't come back at once."""
    factor: int = 2 ** (attempt - 1)
    return first * factor * random.uniform(0.75, 1.25)  # noqa: S311 (no secret)
