"""A world in which all was well until NOW, watched every five minutes."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.clients.queue_memory import MemoryQueues
from shared.clients.queues import Queues
from shared.domain.alarm import AlarmKind, TargetKind
from shared.domain.mailflow import Source
from shared.domain.timer import Timer
from shared.models.pipeline import Alarm, Heartbeat
from shared.models.system import ImportCycle, SystemSettings
from shared.services.alarm_targets import add_target
from shared.services.tick_watchdog import tick_watchdog
from tests.builders import NOW, make_user
from tests.receiver import Receiver

TICK = 5  # minutes


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def all_is_well(db: Session) -> None:
    """Let the import run for half an hour, the last time five minutes before NOW."""
    switch_import(db, on=True)
    for minutes in range(-30, 0, TICK):
        read(db, minutes)
        tick(minutes)


def tick(minutes: float, queues: Queues | None = None) -> dict[str, int]:
    return tick_watchdog(queues or MemoryQueues(), clock=lambda: after(minutes))


def ticks(minutes: Iterable[float]) -> None:
    for each in minutes:
        tick(each)


def switch_import(db: Session, *, on: bool) -> None:
    db.execute(update(SystemSettings).values(import_enabled=on))
    db.commit()


def read(
    db: Session, minutes: float, *, complete: bool = True, source: Source = Source.FOLDER, mailbox: int | None = None
) -> None:
    """Let a read of a source end so many minutes after NOW."""
    at = after(minutes)
    db.add(
        ImportCycle(
            source=source, mailbox_id=mailbox, trigger="timer", started_at=at, finished_at=at, complete=complete
        )
    )
    db.commit()


def judge(db: Session, minutes: float) -> None:
    """Let the missed-runs timer end well so many minutes after NOW. It is never stale."""
    beat = {"every_seconds": 864_000, "beat_at": after(minutes), "good_at": after(minutes)}
    new = insert(Heartbeat).values(name=Timer.MISSED_RUNS, **beat)
    db.execute(new.on_conflict_do_update(index_elements=[Heartbeat.name], set_=beat))
    db.commit()


def add(db: Session, receiver: Receiver, name: str, kind: TargetKind = TargetKind.WEBHOOK) -> int:
    actor = make_user(db)
    target = add_target(db, name, kind=kind.value, address=receiver.url(f"/{name}"), actor=actor, now=NOW)
    db.commit()
    return target.id


def alarms(db: Session) -> list[tuple[AlarmKind, bool]]:
    """Return the alarms in order of their beginning, and whether each is over."""
    db.expire_all()
    return [(each.kind, each.closed_at is not None) for each in db.scalars(select(Alarm).order_by(Alarm.id))]
