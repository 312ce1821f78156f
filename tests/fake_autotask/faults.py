"""What goes wrong with a request, as planned."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tests.fake_autotask.wire import Request
from tests.fake_autotask.world import World

Deed = Callable[[World], object]


class Effect(StrEnum):
    REFUSE = "refuse"  # with a status and sentences, nothing done
    CLOSE = "close"  # nothing done, the connection ends
    LOST = "lost"  # done, and no answer
    LATE = "late"  # done, and answered with a status as if it were not
    CUT = "cut"  # done, and half of the answer arrives
    HALF = "half"  # done, and the answer is half of a JSON text
    HANG = "hang"  # no answer for a while, then nothing done
    SLOW = "slow"  # answered after a while
    HTML = "html"  # the page of a gateway
    REDIRECT = "redirect"
    FOREIGN = "foreign"  # links to further pages lead to another host
    REPEAT = "repeat"  # the page before comes again
    DOUBLE = "double"  # each row comes twice
    NAIVE = "naive"  # moments without a zone, with one digit of a second
    UNKNOWN = "unknown"  # rows have fields that nobody knows
    ERRORS = "errors"  # done, and answered with success and errors
    THEN = "then"  # answered well; something else happens before or after


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that goes wrong, on requests whose method and path match, `times` times (None: always).

    `skip` lets the first matching requests pass. `before` and `after` are deeds of somebody else in the tenant.
    """

    effect: Effect
    status: int = 500
    says: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    to: str = ""
    on: str = ""
    method: str = ""
    skip: int = 0
    times: int | None = 1
    before: Deed | None = field(default=None, compare=False)
    after: Deed | None = field(default=None, compare=False)

    @classmethod
    def of(cls, status: int, *says: str, on: str = "", method: str = "", times: int | None = 1) -> "Fault":
        return cls(effect=Effect.REFUSE, status=status, says=says, on=on, method=method, times=times)

    @classmethod
    def throttle(cls, retry_after: str | None = "1", *, on: str = "", times: int | None = 1) -> "Fault":
        """429; `retry_after` is the header word for word: seconds, an HTTP date, or None for no header."""
        headers = () if retry_after is None else (("Retry-After", retry_after),)
        return cls(effect=Effect.REFUSE, status=429, headers=headers, on=on, times=times)

    @classmethod
    def threads(cls, status: int = 500, *, on: str = "", times: int | None = 1) -> "Fault":
        """Too many threads, said with whatever status."""
        text = "The thread threshold of 3 threads has been exceeded for this endpoint (Itgenatr005)."
        return cls.of(status, text, on=on, times=times)

    def at(self, on: str, *, method: str = "", times: int | None = 1, skip: int = 0) -> "Fault":
        return replace(self, on=on, method=method, times=times, skip=skip)

    def hits(self, request: Request) -> bool:
        return self.method in ("", request.method) and re.search(self.on, request.path, re.IGNORECASE) is not None


class Faults:
    """The faults to come, in order."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *planned: Fault) -> None:
        with self._lock:
            self._planned.extend(planned)

    def clear(self) -> None:
        """Everything works from now on."""
        with self._lock:
            self._planned.clear()

    def take(self, request: Request) -> Fault | None:
        """Return what goes wrong with this request."""
        with self._lock:
            for place, fault in enumerate(self._planned):
                if not fault.hits(request):
                    continue
                if fault.skip:
                    self._planned[place] = replace(fault, skip=fault.skip - 1)
                    continue
                if fault.times == 1:
                    del self._planned[place]
                elif fault.times is not None:
                    self._planned[place] = replace(fault, times=fault.times - 1)
                return fault
        return None
