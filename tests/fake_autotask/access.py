"""Who may come in, and how often: in the order in which Autotask refuses."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.fake_autotask.wire import Refusal, Request
from tests.fake_autotask.world import User, World

THREADS = 3
NO_PERMISSION = "The logged in Resource does not have the adequate permissions to {} this entity type."


def sign_in(world: World, request: Request, root: str) -> User:
    """Return the user. Raise Refusal: 500 for who is unknown, 401 for who is known and not let in."""
    headers = request.headers
    user = world.users.get(headers.get("username", ""))
    if user is None:
        raise Refusal(500, "Zone information could not be determined")
    if headers.get("apiintegrationcode", "") not in world.codes:
        raise Refusal(500, "IntegrationCode is invalid.")
    if world.zone_root not in ("", root):
        raise Refusal(401)
    if user.is_locked or headers.get("secret", "") != user.secret:
        user.failures += 1
        user.is_locked = user.is_locked or user.failures >= world.rules.lock_after
        raise Refusal(401)
    if not user.is_api_user:
        raise Refusal(401)
    user.failures = 0
    return user


def count(world: World) -> float:
    """Count a request and return how long it takes more, now that so many were made. Raise Refusal over the limit."""
    rules = world.rules
    share = world.used / rules.hour_limit
    if share >= 1:
        headers = {} if rules.retry_after is None else {"Retry-After": rules.retry_after}
        raise Refusal(429, "The request threshold of this database has been exceeded.", headers=headers)
    world.used += 1
    return rules.latency_factor * (1.0 if share >= 0.75 else 0.5 if share >= 0.5 else 0.0)


class Threads:
    """How many requests are under way, by integration code and endpoint."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._under_way: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self.most_at_once = 0

    @contextmanager
    def one(self, request: Request) -> Iterator[None]:
        """Raise Refusal when it is one too many."""
        key = (request.headers.get("apiintegrationcode", ""), request.entity.lower())
        with self._lock:
            self._under_way[key] += 1
            at_once = self._under_way[key]
            self.most_at_once = max(self.most_at_once, at_once)
        try:
            if at_once > THREADS:
                raise Refusal(
                    self._world.rules.throttle_status,
                    f"The thread threshold of {THREADS} threads has been exceeded for this endpoint (Itgenatr005).",
                )
            yield
        finally:
            with self._lock:
                self._under_way[key] -= 1


def slow_down(seconds: float) -> None:
    if seconds:
        time.sleep(seconds)
