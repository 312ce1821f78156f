"""Who we are to Autotask, and what all calls of a process share."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from shared import clock
from shared.clients.autotask_wire import Wire
from shared.clients.autotask_zone import Zones, bases_of
from shared.clients.patience import Patience
from shared.settings import BadSetting, Settings

NOBODY = "nobody@backupchecks.example"


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    username: str = field(repr=False)
    secret: str = field(repr=False)
    integration_code: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {
            "UserName": self.username,
            "Secret": self.secret,
            "ApiIntegrationCode": self.integration_code,
            "Content-Type": "application/json",
            "User-Agent": "Backupchecks",
        }


class Connection:
    """What all lines of a process share: open connections, the zone, and whose turn it is at an endpoint.

    Autotask refuses the fourth request at once to an endpoint, from all processes together; one from each is polite.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self.credentials = credentials
        self.patience = patience or Patience()
        self.sleep = sleep
        self.wire = Wire(self.patience, now=now)
        self.zones = Zones(bases_of(base_url), username=credentials.username, wire=self.wire, now=now)
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()

    def turn(self, entity: str) -> threading.Lock:
        with self._lock:
            return self._turns[entity]

    def close(self) -> None:
        self.wire.close()


def credentials_of(settings: Settings) -> Credentials:
    """Raise BadSetting when there is nothing to sign in with. A stand-in on this machine needs nothing."""
    missing = [
        name
        for name, value in (
            ("AUTOTASK_USERNAME", settings.autotask_username),
            ("AUTOTASK_SECRET", settings.autotask_secret),
            ("AUTOTASK_INTEGRATION_CODE", settings.autotask_integration_code),
        )
        if not value
    ]
    if missing and not settings.autotask_is_loopback:
        raise BadSetting(f"{', '.join(missing)} not set: Autotask lets nobody in without")
    return Credentials(
        username=settings.autotask_username or NOBODY,
        secret=settings.autotask_secret,
        integration_code=settings.autotask_integration_code,
    )
