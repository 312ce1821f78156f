"""Pings the dead-man's switches: they shout when we fall silent, which no alarm of our own can tell."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from shared.clients.notify import Notifier
from shared.db.session import transaction
from shared.domain.alarm import Event, TargetKind, Told
from shared.models.pipeline import AlarmTarget
from shared.services.tell_target import CannotTell, note_told, note_trouble, tell_target

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Switch:
    target_id: int
    address: bytes


def ping_dead_man(notifier: Notifier, *, cycle_ended_at: datetime | None, clock: Callable[[], datetime]) -> int:
    """Ping each switch that has not heard of this cycle or a later one; return how many did now.

    Opens its own transactions. One that failed is pinged again at the next call.
    """
    if cycle_ended_at is None:
        return 0
    return sum(_ping(notifier, switch, clock) for switch in _unpinged(cycle_ended_at))


def _unpinged(cycle_ended_at: datetime) -> list[_Switch]:
    with transaction() as db:
        found = db.execute(
            select(AlarmTarget.id, AlarmTarget.address)
            .where(AlarmTarget.kind == TargetKind.DEAD_MAN, AlarmTarget.active)
            .where(or_(AlarmTarget.last_sent_at.is_(None), AlarmTarget.last_sent_at < cycle_ended_at))
            .order_by(AlarmTarget.id)
        )
        return [_Switch(row.id, row.address) for row in found]


def _ping(notifier: Notifier, switch: _Switch, clock: Callable[[], datetime]) -> bool:
    now = clock()
    told = Told(event=Event.TEST, message="", opened_at=now)
    try:
        tell_target(notifier, TargetKind.DEAD_MAN, switch.address, told)
    except CannotTell as problem:
        log.warning("a dead-man's switch was not pinged", extra={"target_id": switch.target_id, "reason": str(problem)})
        with transaction() as db:
            note_trouble(db, switch.target_id, str(problem))
        return False
    with transaction() as db:
        note_told(db, switch.target_id, now=now)
    return True
