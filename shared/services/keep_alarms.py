"""Begins and ends alarms, and writes down whom to tell: in one transaction, so that no alarm goes untold."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.domain.alarm import TargetKind
from shared.domain.alarm_course import Decision, OpenAlarm
from shared.domain.watch import Finding
from shared.models.pipeline import Alarm, AlarmDelivery, AlarmTarget


def open_alarms(db: Session) -> list[OpenAlarm]:
    found = db.scalars(select(Alarm).where(Alarm.closed_at.is_(None)).order_by(Alarm.id))
    return [OpenAlarm(alarm_id=row.id, key=(row.kind, row.subject), calm_since=row.calm_since) for row in found]


def keep_alarms(db: Session, decision: Decision, *, now: datetime) -> dict[str, int]:
    """Do what was decided; return how many alarms began and ended."""
    if decision.calm:
        db.execute(update(Alarm).where(Alarm.id.in_(decision.calm)).values(calm_since=now))
    if decision.again:
        db.execute(update(Alarm).where(Alarm.id.in_(decision.again)).values(calm_since=None))
    ended = sum(_end(db, alarm_id, now) for alarm_id in decision.end)
    begun = sum(_begin(db, finding, now) for finding in decision.begin)
    return {"opened": begun, "closed": ended}


def tell_of_open_alarms(db: Session, target_id: int, *, now: datetime) -> None:
    """Let a target that joins be told what is wrong already; what it has been told it is not told again."""
    open_ids = db.scalars(select(Alarm.id).where(Alarm.closed_at.is_(None)).order_by(Alarm.id)).all()
    _write_down(db, [(alarm_id, target_id) for alarm_id in open_ids], tells_end=False, now=now)


def _begin(db: Session, finding: Finding, now: datetime) -> bool:
    values = {"kind": finding.kind, "subject": finding.subject, "message": finding.message, "opened_at": now}
    alarm_id = db.scalar(insert(Alarm).values(values).on_conflict_do_nothing().returning(Alarm.id))
    if alarm_id is None:  # somebody was faster
        return False
    everybody = select(AlarmTarget.id).where(AlarmTarget.active, AlarmTarget.kind != TargetKind.DEAD_MAN)
    _write_down(db, [(alarm_id, target_id) for target_id in db.scalars(everybody)], tells_end=False, now=now)
    return True


def _end(db: Session, alarm_id: int, now: datetime) -> bool:
    """End an alarm as of when it calmed down; those hear of it who heard, or will hear, of its beginning."""
    ended = (
        update(Alarm)
        .where(Alarm.id == alarm_id, Alarm.closed_at.is_(None))
        .values(closed_at=func.greatest(Alarm.opened_at, func.coalesce(Alarm.calm_since, now)))
    )
    if not db.execute(ended.returning(Alarm.id)).all():
        return False
    told = (
        select(AlarmDelivery.target_id)
        .join(AlarmTarget, AlarmTarget.id == AlarmDelivery.target_id)
        .where(AlarmDelivery.alarm_id == alarm_id, AlarmTarget.active)
    )
    _write_down(db, [(alarm_id, target_id) for target_id in db.scalars(told)], tells_end=True, now=now)
    return True


def _write_down(db: Session, pairs: Iterable[tuple[int, int]], *, tells_end: bool, now: datetime) -> None:
    rows = [
        {"alarm_id": alarm_id, "target_id": target_id, "tells_end": tells_end, "due_at": now}
        for alarm_id, target_id in pairs
    ]
    if rows:
        db.execute(insert(AlarmDelivery).values(rows).on_conflict_do_nothing())
