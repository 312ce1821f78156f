"""Sends what targets are to be told. Opens its own transactions: a delivery is claimed, sent, and written down.

At least once: who dies between sending and writing down leaves a claim that runs out, and it is sent again under the
same key.
"""

import logging
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.util import AliasedClass

from shared.clients.errors import Throttled, Upstream
from shared.clients.notify import Notifier
from shared.db.session import transaction
from shared.domain.alarm import MOST_ATTEMPTS, Event, TargetKind, Told
from shared.models.pipeline import Alarm, AlarmDelivery, AlarmTarget
from shared.services.tell_target import CannotTell, link_to_page, note_told, note_trouble, tell_target

log = logging.getLogger(__name__)

LONGEST_PAUSE = timedelta(hours=2)
PATIENCE = 60.0  # seconds after which the rest waits for the next tick: targets that hang must not keep a timer


@dataclass(frozen=True, kw_only=True, slots=True)
class _Claim:
    """A delivery that nobody else sends until its pause is over."""

    delivery_id: int
    target_id: int
    kind: TargetKind
    address: bytes
    attempts: int
    told: Told


def send_alarms(notifier: Notifier, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Send all that is due; return how many messages were sent, and how many were not.

    A target that fails gets the rest another time, so that it holds up nobody else.
    """
    started, failed = time.monotonic(), set[int]()
    counts = {"sent": 0, "failed": 0}
    while time.monotonic() - started < PATIENCE and (claim := _claim(failed, clock())):
        try:
            tell_target(notifier, claim.kind, claim.address, claim.told)
        except CannotTell as problem:
            _write_failed(claim, problem, clock())
            failed.add(claim.target_id)
            counts["failed"] += 1
        else:
            _write_sent(claim, clock())
            counts["sent"] += 1
    return counts


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: a minute, doubled each time."""
    return min(timedelta(minutes=2 ** (attempts - 1)), LONGEST_PAUSE)


def _claim(failed: AbstractSet[int], now: datetime) -> _Claim | None:
    """Take what is due first, and count the attempt before it is made: one that kills its process counts too."""
    with transaction() as db:
        delivery = db.scalar(_due(failed, now))
        if delivery is None:
            return None
        delivery.attempts += 1
        delivery.due_at = now + pause_after(delivery.attempts)
        target = db.get_one(AlarmTarget, delivery.target_id)
        return _Claim(
            delivery_id=delivery.id,
            target_id=target.id,
            kind=target.kind,
            address=target.address,
            attempts=delivery.attempts,
            told=_told(db, delivery),
        )


def _due(failed: AbstractSet[int], now: datetime) -> Select[AlarmDelivery]:
    begin = aliased(AlarmDelivery)
    same = and_(begin.alarm_id == AlarmDelivery.alarm_id, begin.target_id == AlarmDelivery.target_id)
    begin_waits = select(begin.id).where(same, begin.tells_end.is_(False), _is_waiting(begin)).exists()
    return (
        select(AlarmDelivery)
        .join(AlarmTarget, AlarmTarget.id == AlarmDelivery.target_id)
        .where(_is_waiting(AlarmDelivery), AlarmDelivery.due_at <= now)
        .where(AlarmTarget.active, AlarmTarget.id.not_in(failed))
        .where(or_(AlarmDelivery.tells_end.is_(False), ~begin_waits))  # an end before its beginning says nothing
        .order_by(AlarmDelivery.due_at, AlarmDelivery.id)
        .limit(1)
        .with_for_update(of=AlarmDelivery, skip_locked=True)
    )


def _is_waiting(delivery: type[AlarmDelivery] | AliasedClass[AlarmDelivery]) -> ColumnElement[bool]:
    return and_(delivery.sent_at.is_(None), delivery.attempts < MOST_ATTEMPTS)


def _told(db: Session, delivery: AlarmDelivery) -> Told:
    alarm = db.get_one(Alarm, delivery.alarm_id)
    return Told(
        event=Event.ENDED if delivery.tells_end else Event.OPENED,
        alarm_id=alarm.id,
        kind=alarm.kind,
        subject=alarm.subject,
        message=alarm.message,
        opened_at=alarm.opened_at,
        closed_at=alarm.closed_at if delivery.tells_end else None,
        link=link_to_page(),
    )


def _write_sent(claim: _Claim, now: datetime) -> None:
    with transaction() as db:
        _change(db, claim, sent_at=now, last_error="")
        note_told(db, claim.target_id, now=now)


def _write_failed(claim: _Claim, problem: Exception, now: datetime) -> None:
    is_final = isinstance(problem, Upstream) and not problem.retryable
    attempts = MOST_ATTEMPTS if is_final else claim.attempts
    asked = problem.retry_after if isinstance(problem, Throttled) else None
    due_at = now + max(asked or timedelta(), pause_after(attempts))
    with transaction() as db:
        _change(db, claim, attempts=attempts, due_at=due_at, last_error=str(problem))
        note_trouble(db, claim.target_id, str(problem))
    say = log.error if attempts >= MOST_ATTEMPTS else log.warning
    say("an alarm was not sent", extra={"delivery_id": claim.delivery_id, "attempts": attempts, "reason": str(problem)})


def _change(db: Session, claim: _Claim, **values: object) -> None:
    """Change a delivery that may have been deleted with its target; one that another sent after all stays sent."""
    mine = (AlarmDelivery.id == claim.delivery_id, AlarmDelivery.sent_at.is_(None))
    db.execute(update(AlarmDelivery).where(*mine).values(**values))
