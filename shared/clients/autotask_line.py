"""One call to Autotask: attempt after attempt, until there is an answer or a reason to stop.

What may be repeated is repeated. What makes something is sent again only where nothing of it can have arrived; else
nobody knows the outcome, and it is for the caller to look.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.clients.autotask_answers import OpaqueFault
from shared.clients.autotask_breaker import Breaker
from shared.clients.autotask_connection import Connection
from shared.clients.autotask_wire import CallRecord, Recorder, Request
from shared.clients.autotask_zone import Zone
from shared.clients.errors import (
    BadAnswer,
    BadCredentials,
    BreakerOpen,
    InvalidData,
    OutcomeUnknown,
    Throttled,
    Unavailable,
    UnknownIntegrationCode,
    UnknownUser,
    Unreached,
    Upstream,
    WrongSecret,
)
from shared.clients.patience import Waits

log = logging.getLogger(__name__)

SETTLES_IN = timedelta(minutes=6)  # Autotask works on a request for five minutes at most, with or without a listener
CALM = 2.0  # seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """A request below the zone's address. `makes`: sent twice, it would make two."""

    method: str
    path: str
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    makes: bool = False

    @property
    def entity(self) -> str:
        """What Autotask counts threads by."""
        return self.path.split("/")[0]


HARMLESS = Ask(method="GET", path="ThresholdInformation")  # takes no argument and no right


class AutotaskLine:
    """The way to one tenant, for one purpose: with its breaker and its flight recorder. Safe for threads."""

    def __init__(self, connection: Connection, *, breaker: Breaker, record: Recorder | None = None) -> None:
        self._connection = connection
        self._breaker = breaker
        self._record = record or _nowhere

    def find_zone(self) -> Zone:
        """Raise UnknownUser, or another Upstream. The secret is not sent."""
        waits = Waits(self._connection.patience)
        while True:
            try:
                return self._connection.zones.current(self._record)
            except Upstream as problem:
                self._pause(waits.after(problem), problem)

    def call(self, ask: Ask) -> dict[str, Any]:
        """Return the JSON object of a good answer. Raise Upstream; OutcomeUnknown only where something is made."""
        if self._breaker.is_open():
            raise BreakerOpen("Autotask refused the sign-in before: nothing is sent until a connection test works")
        try:
            return self._asked(ask)
        except BadCredentials as problem:
            if self._is_sure(ask, problem):
                self._stop(problem)
            raise

    def pause(self, seconds: float) -> None:
        """Wait as this line waits between attempts."""
        self._connection.sleep(seconds)

    def _asked(self, ask: Ask) -> dict[str, Any]:
        with self._connection.turn(ask.entity):
            zone = self.find_zone()
            try:
                return self._persist(ask, zone)
            except WrongSecret as problem:
                return self._persist_elsewhere(ask, zone, problem)

    def _is_sure(self, ask: Ask, problem: BadCredentials) -> bool:
        """Tell whether they don't know us. A 500 that says so may be a moment's trouble, or be about what was sent.

        So they are asked once more, for what takes no argument, at a zone that was just looked for.
        """
        if isinstance(problem, UnknownIntegrationCode) and ask.path == HARMLESS.path:
            return True
        if not isinstance(problem, UnknownIntegrationCode | UnknownUser):
            return True
        self.pause(CALM)
        zones = self._connection.zones
        try:
            zones.forget(zones.current(self._record))
            with self._connection.turn(HARMLESS.entity):
                request = self._request(HARMLESS, zones.current(self._record), attempt=1)
                self._connection.wire.exchange(request, self._record)
        except Upstream as again:
            return isinstance(again, BadCredentials)
        return False

    def _persist_elsewhere(self, ask: Ask, zone: Zone, problem: WrongSecret) -> dict[str, Any]:
        """A tenant that moved looks like a wrong secret. One that did not move has been asked once too often."""
        self._connection.zones.forget(zone)
        moved_to = self.find_zone()
        if moved_to.url == zone.url:
            raise problem
        log.info("the zone of autotask moved")
        return self._persist(ask, moved_to)

    def _stop(self, problem: BadCredentials) -> None:
        self._breaker.open(str(problem))
        log.error("autotask refused the sign-in, all calls stop")

    def _persist(self, ask: Ask, zone: Zone) -> dict[str, Any]:
        waits = Waits(self._connection.patience)
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._connection.wire.exchange(self._request(ask, zone, attempt), self._record)
            except Upstream as problem:
                if ask.makes and _may_have_arrived(problem):
                    raise OutcomeUnknown(f"{problem}: done or not", settles_in=SETTLES_IN) from problem
                if isinstance(problem, OpaqueFault) and attempt > 1:
                    raise
                self._pause(waits.after(problem), problem)

    def _pause(self, wait: timedelta, problem: Upstream) -> None:
        log.info("asking autotask again", extra={"why": str(problem), "wait": wait.total_seconds()})
        self._connection.sleep(wait.total_seconds())

    def _request(self, ask: Ask, zone: Zone, attempt: int) -> Request:
        return Request(
            method=ask.method,
            url=f"{zone.url}V1.0/{ask.path}",
            shown=ask.path,
            headers=self._connection.credentials.headers,
            body=None if ask.body is None else json.dumps(ask.body).encode(),
            attempt=attempt,
            fresh=ask.makes,
        )


def _may_have_arrived(problem: Upstream) -> bool:
    """Tell whether something may be made in spite of the problem. Errors beside success are no clear no."""
    if isinstance(problem, InvalidData):
        return 200 <= problem.status < 300
    return isinstance(problem, Unavailable | BadAnswer) and not isinstance(problem, Unreached | Throttled)


def _nowhere(record: CallRecord) -> None:
    """Keep nothing."""
