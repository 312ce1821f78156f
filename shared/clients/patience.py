"""How long one call goes on trying, and when it gives up. Decides; waits for nothing itself."""

import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from shared.clients.errors import Throttled, Upstream

FIRST_PAUSE = timedelta(seconds=0.5)
LONGEST_WAIT = timedelta(days=1)  # a longer one is a slip of somebody's


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """What one call bears. A call that is made to wait longer than `throttled` in all is for its caller to repeat."""

    connect: timedelta = timedelta(seconds=10)
    read: timedelta = timedelta(seconds=60)  # between two pieces of an answer
    attempt: timedelta = timedelta(seconds=120)  # for a whole answer
    call: timedelta = timedelta(seconds=120)  # no further attempt after that
    throttled: timedelta = timedelta(seconds=30)
    throttles: int = 8  # for those who ask for no time at all, again and again
    faults: int = 3


# Somebody waits for the page.
HASTY = Patience(
    connect=timedelta(seconds=5),
    read=timedelta(seconds=15),
    attempt=timedelta(seconds=20),
    throttled=timedelta(seconds=5),
    faults=1,
)


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


def retry_after(headers: Mapping[str, str], now: datetime, *, longest: timedelta = LONGEST_WAIT) -> timedelta | None:
    """Return how long the answer asks us to wait: in seconds or until a date; None when it does not say."""
    text = (headers.get("retry-after") or "").strip()
    seconds = _seconds(text, now)
    return None if seconds is None else timedelta(seconds=min(max(seconds, 0.0), longest.total_seconds()))


def _seconds(text: str, now: datetime) -> float | None:
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds()
