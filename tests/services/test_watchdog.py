"""The watchdog at real rows: what begins an alarm, what ends it, and what does neither."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.clients.queue_memory import MemoryQueues
from shared.domain.alarm import AlarmKind
from shared.domain.mailflow import Source
from shared.models.pipeline import Alarm, DeadLetter, Heartbeat
from shared.models.system import ImportCycle, SystemSettings
from shared.services.tick_watchdog import tick_watchdog
from tests.builders import NOW

Tick = Callable[[float], dict[str, int]]


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


@pytest.fixture
def tick(committed_db: Session) -> Tick:
    """Tick so many minutes after NOW; the first one is long past, and the import was on then."""
    switch_import(committed_db, on=True)
    for minutes in range(-30, 0, 5):
        read(committed_db, minutes)
        tick_at(minutes)
    return tick_at


def tick_at(minutes: float) -> dict[str, int]:
    return tick_watchdog(MemoryQueues(), clock=lambda: after(minutes))


def switch_import(db: Session, *, on: bool) -> None:
    db.execute(update(SystemSettings).values(import_enabled=on))
    db.commit()


def read(db: Session, minutes: float, *, complete: bool = True) -> None:
    at = after(minutes)
    db.add(ImportCycle(source=Source.FOLDER, trigger="timer", started_at=at, finished_at=at, complete=complete))
    db.commit()


def alarms(db: Session) -> list[tuple[AlarmKind, bool]]:
    """Return the alarms in order of their beginning, and whether each is over."""
    db.expire_all()
    return [(each.kind, each.closed_at is not None) for each in db.scalars(select(Alarm).order_by(Alarm.id))]


def test_a_source_that_is_not_read_for_an_hour_makes_one_alarm(committed_db: Session, tick: Tick) -> None:
    opened = [tick(minutes)["opened"] for minutes in range(0, 180, 5)]

    assert sum(opened) == 1
    assert opened.index(1) * 5 == 60  # 65 minutes after the last read
    [alarm] = committed_db.scalars(select(Alarm))
    assert (alarm.kind, alarm.subject) == (AlarmKind.NOT_READ, "mail folder")
    assert alarm.message == "The mail folder was last read to its end at 2026-03-03 07:55 CET."


def test_an_alarm_ends_when_its_trouble_has_been_gone_for_a_while(committed_db: Session, tick: Tick) -> None:
    for minutes in range(0, 65, 5):
        tick(minutes)
    read(committed_db, 62)

    closed = [tick(minutes)["closed"] for minutes in (65, 70, 75, 80)]

    assert closed == [0, 0, 0, 1]
    [alarm] = committed_db.scalars(select(Alarm))
    assert alarm.closed_at == after(65)


def test_reads_that_reach_no_end_are_none(committed_db: Session, tick: Tick) -> None:
    for minutes in range(0, 65, 5):
        read(committed_db, minutes, complete=False)
        tick(minutes)

    assert alarms(committed_db) == [(AlarmKind.NOT_READ, False)]


def test_dead_letters_and_timers_that_stand_still_are_told_by_their_names(committed_db: Session, tick: Tick) -> None:
    committed_db.add(DeadLetter(queue="mail-parse", message_id="1", body="{}", died_at=NOW))
    committed_db.add(Heartbeat(name="tea", every_seconds=300, beat_at=after(-16), good_at=after(-16)))
    committed_db.commit()

    tick(0)

    found = {alarm.subject: alarm.message for alarm in committed_db.scalars(select(Alarm))}
    assert found == {
        "mail-parse": "1 message of the queue mail-parse failed too often. Retry or discard under Dead letters.",
        "tea": "The timer tea has not run since 2026-03-03 07:44 CET.",
    }
