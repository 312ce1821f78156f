"""Which of Autotask's hosts holds a user's tenant. It may move, and only hosts of Autotask's own get our secret."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, Field

from shared.clients.autotask_rows import checked
from shared.clients.autotask_wire import Recorder, Request, Wire
from shared.clients.errors import BadAnswer, Unavailable, UnknownUser, Upstream
from shared.settings import AUTOTASK, AUTOTASK_HOST, LOOPBACK

SECOND = "https://webservices2.autotask.net"  # knows the zones that the first one may not
KNOWN_FOR = timedelta(hours=12)
ROOT = "/atservicesrest/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Zone:
    """`url` is what Autotask gave: its spelling is kept, and it ends with a slash."""

    url: str
    name: str


class ZoneAnswer(BaseModel):
    url: str
    name: str = Field(default="", alias="zoneName")


class Zones:
    """Finds the zone of one user and remembers it for half a day. Safe for threads."""

    def __init__(
        self, bases: Sequence[str], *, username: str, wire: Wire, now: Callable[[], datetime]
    ) -> None:  # fmt: skip
        self._bases = bases
        self._username = username
        self._wire = wire
        self._now = now
        self._lock = threading.Lock()
        self._known: Zone | None = None
        self._found_at = now()

    def current(self, record: Recorder) -> Zone:
        """Raise UnknownUser, or another Upstream. Nothing but the user's name is sent."""
        with self._lock:
            if self._known is None or self._now() - self._found_at >= KNOWN_FOR:
                self._known, self._found_at = self._find(record), self._now()
            return self._known

    def forget(self, zone: Zone) -> None:
        """Ask again before the next call, unless somebody did already."""
        with self._lock:
            if self._known == zone:
                self._known = None

    def _find(self, record: Recorder) -> Zone:
        problems: list[Upstream] = []
        for base in self._bases:
            try:
                return self._zone_of(checked(ZoneAnswer, self._asked(base, record)), base)
            except (UnknownUser, Unavailable) as problem:
                problems.append(problem)
        raise next((each for each in problems if isinstance(each, UnknownUser)), problems[0])

    def _asked(self, base: str, record: Recorder) -> dict[str, Any]:
        url = f"{base}/ATServicesRest/V1.0/ZoneInformation?user={quote(self._username, safe='')}"
        return self._wire.exchange(Request(method="GET", url=url, shown="ZoneInformation"), record)

    def _zone_of(self, found: ZoneAnswer, base: str) -> Zone:
        url = found.url if found.url.endswith("/") else f"{found.url}/"
        if not _is_theirs(url, loopback=base.startswith("http://")):
            raise BadAnswer("Autotask's zone leads to a host that is not Autotask's")
        return Zone(url=url, name=found.name)


def bases_of(base_url: str) -> tuple[str, ...]:
    """Return whom to ask for the zone: the host of the settings, and its neighbour where it is the usual one."""
    return (base_url, SECOND) if base_url == AUTOTASK else (base_url,)


def _is_theirs(url: str, *, loopback: bool) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or parts.query or parts.fragment or parts.path.lower() != ROOT:
        return False
    if loopback:
        return parts.scheme == "http" and host in LOOPBACK
    return parts.scheme == "https" and port is None and AUTOTASK_HOST.fullmatch(host) is not None
