"""The page of notifications: whom alarms are told, and the alarms with how their telling went."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.orm import Session

from shared.domain.alarm import MOST_ATTEMPTS, TITLES, AlarmKind, TargetKind
from shared.models.pipeline import Alarm, AlarmDelivery, AlarmTarget
from shared.queries.rows import PAGE_SIZE, Page, existing_page


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetRow:
    """One target; `waiting` messages are still to be sent."""

    target_id: int
    name: str
    kind: TargetKind
    active: bool
    last_sent_at: datetime | None
    last_error: str
    waiting: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmRow:
    """One alarm, and to how many targets its beginning and end were told, wait to be told, and were given up."""

    alarm_id: int
    kind: AlarmKind
    subject: str
    message: str
    opened_at: datetime
    calm_since: datetime | None
    closed_at: datetime | None
    told: int
    waiting: int
    given_up: int
    trouble: str

    @property
    def title(self) -> str:
        return TITLES[self.kind]


def alarm_targets(db: Session) -> list[TargetRow]:
    """Return all targets by name: their number is limited."""
    return [TargetRow(**row._asdict()) for row in db.execute(_select_targets().order_by(func.lower(AlarmTarget.name)))]


def alarm_target(db: Session, target_id: int) -> TargetRow | None:
    row = db.execute(_select_targets().where(AlarmTarget.id == target_id)).one_or_none()
    return TargetRow(**row._asdict()) if row else None


def alarms(db: Session, page: int = 1) -> Page[AlarmRow]:
    """Return one page of alarms: those that are open, then the others, newest first."""
    total = db.scalar(select(func.count()).select_from(Alarm)) or 0
    number = existing_page(page, total)
    found = db.execute(
        _select()
        .order_by(Alarm.closed_at.is_not(None), Alarm.opened_at.desc(), Alarm.id.desc())
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    return Page(rows=tuple(AlarmRow(**row._asdict()) for row in found), number=number, total=total)


def open_alarm_count(db: Session) -> int:
    return db.scalar(select(func.count()).where(Alarm.closed_at.is_(None))) or 0


def _select_targets() -> Any:  # noqa: ANN401 -- the row type is spelled out by TargetRow
    waiting = select(func.count()).where(AlarmDelivery.target_id == AlarmTarget.id, _waits()).correlate(AlarmTarget)
    return select(
        AlarmTarget.id.label("target_id"),
        AlarmTarget.name,
        AlarmTarget.kind,
        AlarmTarget.active,
        AlarmTarget.last_sent_at,
        AlarmTarget.last_error,
        waiting.scalar_subquery().label("waiting"),
    )


def _select() -> Any:  # noqa: ANN401 -- the row type is spelled out by AlarmRow
    telling = (
        select(
            func.count().filter(AlarmDelivery.sent_at.is_not(None)).label("told"),
            func.count().filter(_waits()).label("waiting"),
            func.count().filter(AlarmDelivery.sent_at.is_(None), AlarmDelivery.attempts >= MOST_ATTEMPTS).label("lost"),
            func.coalesce(func.max(AlarmDelivery.last_error).filter(AlarmDelivery.sent_at.is_(None)), "").label("why"),
        )
        .where(AlarmDelivery.alarm_id == Alarm.id)
        .lateral()
    )
    return select(
        Alarm.id.label("alarm_id"),
        Alarm.kind,
        Alarm.subject,
        Alarm.message,
        Alarm.opened_at,
        Alarm.calm_since,
        Alarm.closed_at,
        telling.c.told,
        telling.c.waiting,
        telling.c.lost.label("given_up"),
        telling.c.why.label("trouble"),
    ).join_from(Alarm, telling, true())


def _waits() -> ColumnElement[bool]:
    return and_(AlarmDelivery.sent_at.is_(None), AlarmDelivery.attempts < MOST_ATTEMPTS)
