"""What goes wrong with a request, planned or at random."""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from tests.fake_graph.wire import GraphError, Request

PAGE = "delta"  # only pages of changes can be spoiled inside


class Effect(StrEnum):
    STATUS = "status"  # refused with a status
    CUT = "cut"  # done, and half of the answer arrives
    HANG = "hang"  # no answer for a while, then the connection ends
    REPEAT = "repeat"  # a page holds items of the page before
    EMPTY = "empty"  # a page without items leads to the next
    REMOVED = "removed"  # a page holds entries of mails that are gone
    BROKEN = "broken"  # a page holds an item without id and one without date

    @property
    def spoils_pages(self) -> bool:
        return self in (Effect.REPEAT, Effect.EMPTY, Effect.REMOVED, Effect.BROKEN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that goes wrong, on requests whose method and path match, `times` times (None: always).

    `late`: the request is carried out before it is refused, as behind a gateway that gave up waiting.
    """

    effect: Effect
    status: int = 0
    code: str = ""
    message: str = "Something went wrong."
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    late: bool = False
    on: str = ""
    method: str = ""
    times: int | None = 1
    inner: bool = False  # on the parts of a batch

    @classmethod
    def throttle(cls, retry_after: str | None = "1", *, on: str = "", times: int | None = 1) -> "Fault":
        """429; `retry_after` is the header word for word: seconds, an HTTP date, or None for no header."""
        headers = () if retry_after is None else (("Retry-After", retry_after),)
        return cls(
            effect=Effect.STATUS, status=429, code="TooManyRequests", headers=headers, on=on, times=times,
            message="Too many requests.",
        )  # fmt: skip

    @classmethod
    def of(cls, status: int, code: str = "", *, on: str = "", times: int | None = 1) -> "Fault":
        return cls(
            effect=Effect.STATUS, status=status, code=code or CODES.get(status, "generalException"), on=on, times=times
        )

    @classmethod
    def gone(cls, location: str, *, times: int | None = 1) -> "Fault":
        """410 with a Location, as for a delta token that is too old."""
        return cls(
            effect=Effect.STATUS,
            status=410,
            code="resyncRequired",
            headers=(("Location", location),),
            on=PAGE,
            times=times,
        )

    @classmethod
    def cut(cls, *, on: str = "", times: int | None = 1) -> "Fault":
        return cls(effect=Effect.CUT, on=on, times=times)

    @classmethod
    def hang(cls, seconds: float = 60, *, on: str = "", times: int | None = 1) -> "Fault":
        return cls(effect=Effect.HANG, seconds=seconds, on=on, times=times)

    @classmethod
    def page(cls, effect: Effect, *, times: int | None = 1) -> "Fault":
        assert effect.spoils_pages
        return cls(effect=effect, on=PAGE, times=times)

    def within_batches(self) -> "Fault":
        return replace(self, inner=True)

    def hits(self, request: Request) -> bool:
        return self.inner == request.inner and self.on in request.path and self.method in ("", request.method)

    @property
    def error(self) -> GraphError:
        return GraphError(self.status, self.code, self.message, dict(self.headers))


CODES = {
    400: "BadRequest",
    401: "InvalidAuthenticationToken",
    403: "ErrorAccessDenied",
    404: "ErrorItemNotFound",
    410: "syncStateNotFound",
    500: "ErrorInternalServerError",
    502: "BadGateway",
    503: "serviceNotAvailable",
    504: "GatewayTimeout",
}

ANYWHERE = (
    Fault.throttle("0"),
    Fault.throttle(None),
    *(Fault.of(status) for status in (500, 502, 503, 504)),
    replace(Fault.of(504), late=True),
    Fault.cut(),
)
ON_PAGES = tuple(Fault.page(effect) for effect in (Effect.REPEAT, Effect.EMPTY, Effect.REMOVED))


class Faults:
    """The faults to come. Planned ones first, in order; then random ones."""

    def __init__(self, *planned: Fault) -> None:
        self._planned = list(planned)
        self._lock = threading.Lock()
        self._random = random.Random(0)
        self._rate = 0.0
        self._kinds: Sequence[Fault] = ()

    @classmethod
    def random(cls, seed: int, rate: float, *, kinds: Sequence[Fault] = ANYWHERE + ON_PAGES) -> "Faults":
        """Spoil about `rate` of all requests, each time with one of `kinds` that fits the request."""
        faults = cls()
        faults._random, faults._rate, faults._kinds = random.Random(seed), rate, kinds
        return faults

    def add(self, *planned: Fault) -> None:
        with self._lock:
            self._planned.extend(planned)

    def clear(self) -> None:
        """Everything works from now on."""
        with self._lock:
            self._planned.clear()
            self._rate = 0.0

    def take(self, request: Request) -> Fault | None:
        """Return what goes wrong with this request."""
        with self._lock:
            return self._next_planned(request) or self._by_chance(request)

    def _next_planned(self, request: Request) -> Fault | None:
        for place, fault in enumerate(self._planned):
            if not fault.hits(request):
                continue
            if fault.times == 1:
                del self._planned[place]
            elif fault.times is not None:
                self._planned[place] = replace(fault, times=fault.times - 1)
            return fault
        return None

    def _by_chance(self, request: Request) -> Fault | None:
        if request.inner or self._random.random() >= self._rate:
            return None
        fitting = [fault for fault in self._kinds if fault.hits(request)]
        return self._random.choice(fitting) if fitting else None
