"""Timers say that they run; one that has stopped is noticed, and the import is done in its place."""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.clients.errors import Unavailable
from shared.clients.queue_memory import MemoryQueues
from shared.clients.queues import queues_in_this_process
from shared.domain.timer import Timer
from shared.models.pipeline import Heartbeat
from shared.services.heal_timers import Pause, heal, look_after_timers, look_beside
from shared.services.heartbeat import LONGEST_ERROR, beating, intervals, stale_timers
from shared.settings import settings

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EVERY = dict.fromkeys(Timer, 5 * MINUTE)
TIMER = Timer.MAIL_IMPORT


def beat(at: datetime, problem: Exception | None = None, timer: Timer = TIMER) -> None:
    """Let a timer run for a second."""
    moments = iter([at, at + timedelta(seconds=1)])
    with suppress(Exception), beating(timer, every=5 * MINUTE, clock=lambda: next(moments)):
        if problem:
            raise problem


def heartbeat(db: Session) -> Heartbeat:
    db.expire_all()
    return db.get_one(Heartbeat, TIMER)


def stale(db: Session, at: datetime) -> list[tuple[str, bool]]:
    db.expire_all()
    return [(timer.name, timer.is_dead) for timer in stale_timers(db, at)]


def wakes(queues: MemoryQueues) -> list[str]:
    found: list[str] = []
    queues.drain({"mail-wake": lambda taken: found.append(json.loads(taken.body)["reason"])})
    return found


def test_a_timer_writes_down_when_it_began_and_when_it_ended_well(committed_db: Session) -> None:
    beat(NOW - MINUTE)
    beat(NOW)

    row = heartbeat(committed_db)
    assert (row.beat_at, row.good_at, row.every_seconds) == (NOW, NOW + timedelta(seconds=1), 300)


def test_a_timer_that_fails_keeps_its_last_good_end_until_it_is_well_again(committed_db: Session) -> None:
    beat(NOW - MINUTE)
    beat(NOW, Unavailable("Graph does not answer"))

    row = heartbeat(committed_db)
    assert (row.beat_at, row.good_at) == (NOW, NOW - MINUTE + timedelta(seconds=1))
    assert row.last_error == "Unavailable: Graph does not answer"

    beat(NOW + MINUTE)
    assert heartbeat(committed_db).last_error == ""


def test_the_error_goes_on_so_that_the_platform_counts_it(committed_db: Session) -> None:
    with (
        pytest.raises(KeyError),
        beating(TIMER, every=MINUTE, clock=lambda: NOW),
    ):
        raise KeyError


def test_of_a_foreign_error_only_the_kind_is_kept(committed_db: Session) -> None:
    """Its words may hold a row, an address or a connection string."""
    beat(NOW, ValueError("password=hunter2 for ada@larch.example"))

    assert heartbeat(committed_db).last_error == "ValueError"


def test_an_error_is_kept_short(committed_db: Session) -> None:
    beat(NOW, Unavailable("x" * 5000))

    assert len(heartbeat(committed_db).last_error) == LONGEST_ERROR


def test_a_timer_is_stale_after_three_intervals_and_dead_when_it_does_not_even_start(committed_db: Session) -> None:
    beat(NOW)

    assert stale(committed_db, NOW + 15 * MINUTE) == []
    assert stale(committed_db, NOW + 16 * MINUTE) == [("mail_import", True)]


def test_a_timer_that_runs_but_always_fails_is_stale_too(committed_db: Session) -> None:
    beat(NOW)
    beat(NOW + 14 * MINUTE, ValueError())
    beat(NOW + 16 * MINUTE, ValueError())

    assert stale(committed_db, NOW + 16 * MINUTE) == [("mail_import", False)]


def test_a_timer_that_takes_long_is_not_stale_yet(committed_db: Session) -> None:
    with beating(TIMER, every=5 * MINUTE, clock=lambda: NOW):
        assert stale(committed_db, NOW + 14 * MINUTE) == []


def test_intervals_come_from_the_schedules_and_one_that_is_missing_is_noticed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = intervals({"mail_import": "0 */5 * * * *", "graph_subscription": "0 0 */6 * * *"})

    assert found[Timer.MAIL_IMPORT] == 5 * MINUTE
    assert found[Timer.GRAPH_SUBSCRIPTION] == timedelta(hours=6)
    assert found[Timer.WATCHDOG] == timedelta(days=1)
    assert "a timer has no schedule that can be read" in caplog.messages


def test_a_timer_that_runs_is_left_alone(committed_db: Session) -> None:
    queues = MemoryQueues()
    beat(NOW)

    assert not heal(queues, every=EVERY, now=NOW + 10 * MINUTE)
    assert wakes(queues) == []


def test_in_place_of_a_timer_that_stopped_a_read_is_asked_for_once_in_each_interval(committed_db: Session) -> None:
    queues = MemoryQueues()
    beat(NOW)

    healed = [heal(queues, every=EVERY, now=NOW + (16 + minutes) * MINUTE) for minutes in range(7)]

    assert healed == [True, False, False, False, False, True, False]
    assert wakes(queues) == ["heal", "heal"]
    assert heartbeat(committed_db).healed_at == NOW + 21 * MINUTE


def test_a_timer_that_never_ran_is_missed_from_the_first_look_on(committed_db: Session) -> None:
    """After a deployment all timers of an app have been seen to never start."""
    queues = MemoryQueues()

    assert not heal(queues, every=EVERY, now=NOW)
    assert stale(committed_db, NOW + MINUTE) == []

    assert heal(queues, every=EVERY, now=NOW + 16 * MINUTE)
    assert {name for name, is_dead in stale(committed_db, NOW + 16 * MINUTE) if is_dead} == set(Timer)


def test_a_timer_that_the_code_no_longer_has_is_forgotten(committed_db: Session) -> None:
    committed_db.add(Heartbeat(name="of_long_ago", every_seconds=60, beat_at=NOW))
    committed_db.commit()

    heal(MemoryQueues(), every=EVERY, now=NOW)

    assert committed_db.get(Heartbeat, "of_long_ago", populate_existing=True) is None


class Seconds:
    def __init__(self) -> None:
        self.passed = 5.0

    def __call__(self) -> float:
        return self.passed


@pytest.fixture
def own_queues(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryQueues]:
    """The queues of this process, empty; no storage account of the developer's own."""
    for name in ("AzureWebJobsStorage", "AzureWebJobsStorage__accountName", "AzureWebJobsStorage__queueServiceUri"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CRON_MAIL_IMPORT", "0 */5 * * * *")
    settings.cache_clear()
    queues_in_this_process.cache_clear()
    yield queues_in_this_process()
    queues_in_this_process.cache_clear()
    settings.cache_clear()


def test_a_process_looks_at_most_once_a_minute(committed_db: Session, own_queues: MemoryQueues) -> None:
    seconds = Seconds()
    pause = Pause(seconds)

    look_after_timers(clock=lambda: NOW, pause=pause)
    look_after_timers(clock=lambda: NOW + 16 * MINUTE, pause=pause)
    assert wakes(own_queues) == []

    seconds.passed += 61
    look_after_timers(clock=lambda: NOW + 16 * MINUTE, pause=pause)
    assert wakes(own_queues) == ["heal"]
    assert committed_db.scalar(select(Heartbeat.healed_at).where(Heartbeat.name == TIMER)) == NOW + 16 * MINUTE


def test_who_cannot_wait_looks_beside_his_work(committed_db: Session, own_queues: MemoryQueues) -> None:
    beat(NOW)

    look_beside(clock=lambda: NOW + 16 * MINUTE, pause=Pause())

    for thread in threading.enumerate():
        if thread.name == "look after timers":
            thread.join(10)
    assert wakes(own_queues) == ["heal"]


def test_looking_never_fails(
    clean_database: str, own_queues: MemoryQueues, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from shared.db import session

    session.configure(clean_database.replace("test_", "no_such_"))

    look_after_timers(clock=lambda: NOW, pause=Pause())

    assert "the timers could not be looked after" in caplog.messages
