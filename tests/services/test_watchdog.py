"""The watchdog at real rows: what begins an alarm, what ends it, and what does neither."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from shared.clients.errors import Unavailable
from shared.clients.queue_memory import MemoryQueues
from shared.domain.alarm import AlarmKind
from shared.domain.mailflow import Source, SubscriptionState
from shared.domain.queue_message import Queue
from shared.models.mailbox import GraphSubscription, MailArrival, MailboxRow, MailFolderRow
from shared.models.pipeline import Alarm, DeadLetter, Heartbeat
from shared.settings import settings
from tests.services.watch_world import after, alarms, all_is_well, read, switch_import, tick, ticks

MAILBOX = "reports@oak.example"
NOT_READ, BACKLOG, DEAD_LETTERS = AlarmKind.NOT_READ, AlarmKind.BACKLOG, AlarmKind.DEAD_LETTERS


@pytest.fixture
def well(committed_db: Session) -> Session:
    all_is_well(committed_db)
    return committed_db


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The app reads this mailbox of Graph, and no folder."""
    monkeypatch.setenv("GRAPH_MAILBOX", MAILBOX)
    settings.cache_clear()
    yield MAILBOX
    settings.cache_clear()


def dead_letter(db: Session, message_id: str = "1") -> None:
    db.add(DeadLetter(queue="mail-parse", message_id=message_id, body="{}", died_at=after(0)))
    db.commit()


def no_dead_letters(db: Session) -> None:
    db.execute(delete(DeadLetter))
    db.commit()


def test_a_source_that_is_not_read_for_an_hour_makes_one_alarm(well: Session) -> None:
    opened = [tick(minutes)["opened"] for minutes in range(0, 180, 5)]

    assert sum(opened) == 1
    assert opened.index(1) * 5 == 60  # 65 minutes after the last read
    [alarm] = well.scalars(select(Alarm))
    assert (alarm.kind, alarm.subject) == (NOT_READ, "mail folder")
    assert alarm.message == "The mail folder was last read to its end at 2026-03-03 07:55 CET."


def test_an_alarm_ends_when_its_trouble_has_been_gone_for_a_while(well: Session) -> None:
    ticks(range(0, 65, 5))
    read(well, 62)

    closed = [tick(minutes)["closed"] for minutes in (65, 70, 75, 80)]

    assert closed == [0, 0, 0, 1]
    [alarm] = well.scalars(select(Alarm))
    assert alarm.closed_at == after(65)


def test_reads_that_reach_no_end_are_none(well: Session) -> None:
    for minutes in range(0, 65, 5):
        read(well, minutes, complete=False)
        tick(minutes)

    assert alarms(well) == [(NOT_READ, False)]


def test_a_new_installation_is_not_missed_until_an_hour_after_it_was_switched_on(committed_db: Session) -> None:
    ticks(range(0, 240, 5))
    assert alarms(committed_db) == []

    switch_import(committed_db, on=True)
    ticks(range(240, 305, 5))
    assert alarms(committed_db) == []

    tick(305)
    assert alarms(committed_db) == [(NOT_READ, False)]


def test_an_import_that_is_switched_off_is_one_alarm_however_often_somebody_reads_by_hand(well: Session) -> None:
    switch_import(well, on=False)
    for minutes in range(0, 600, 5):
        if minutes % 90 == 0:
            read(well, minutes)
        tick(minutes)
    assert alarms(well) == [(NOT_READ, False)]

    switch_import(well, on=True)
    tick(600)
    read(well, 601)
    ticks((605, 610, 615, 620))

    assert alarms(well) == [(NOT_READ, True)]


def test_dead_letters_and_timers_that_stand_still_are_told_by_their_names(well: Session) -> None:
    dead_letter(well)
    well.add(Heartbeat(name="tea", every_seconds=300, beat_at=after(-16), good_at=after(-16)))
    well.commit()

    tick(0)

    assert {alarm.subject: alarm.message for alarm in well.scalars(select(Alarm))} == {
        "mail-parse": "1 message of the queue mail-parse failed too often. Retry or discard under Dead letters.",
        "tea": "The timer tea has not run since 2026-03-03 07:44 CET.",
    }


def test_a_letter_that_is_retried_and_dies_again_is_one_incident(well: Session) -> None:
    for minutes in range(0, 90, 10):
        dead_letter(well, str(minutes))
        tick(minutes)
        no_dead_letters(well)
        read(well, minutes)
        tick(minutes + 5)

    assert alarms(well) == [(DEAD_LETTERS, False)]


def test_mails_that_wait_for_their_import_are_a_backlog(well: Session, mailbox: str) -> None:
    row = MailboxRow(address=mailbox)
    well.add(row)
    well.flush()
    well.add(
        MailArrival(
            mailbox_id=row.id, graph_id="1", received_at=after(0), arrived_at=after(-31), content=b"", attempts=0
        )
    )
    well.commit()

    tick(0)

    assert alarms(well) == [(BACKLOG, False)]


class Unreachable(MemoryQueues):
    """Queues that cannot be asked."""

    def waiting(self, queue: Queue) -> int:
        raise Unavailable("the queue service does not answer")


def test_a_queue_that_fills_up_is_a_backlog_until_it_can_be_seen_to_be_none(well: Session) -> None:
    full = MemoryQueues()
    full.send(Queue.MAIL_PARSE, ["x"] * 1001)

    tick(0, full)
    for minutes in (5, 10, 15, 20, 25):
        tick(minutes, Unreachable())
    assert alarms(well) == [(BACKLOG, False)]

    ticks((30, 35, 40, 45))
    assert alarms(well) == [(BACKLOG, True)]


def test_reads_of_another_source_do_not_count(well: Session, mailbox: str) -> None:
    mine, former = MailboxRow(address=mailbox), MailboxRow(address="former@oak.example")
    well.add_all([mine, former])
    well.commit()

    for minutes in range(0, 70, 5):
        read(well, minutes)
        read(well, minutes, source=Source.GRAPH, mailbox=former.id)
        tick(minutes)
    assert alarms(well) == [(NOT_READ, False)]

    read(well, 71, source=Source.GRAPH, mailbox=mine.id)
    ticks((75, 80, 85, 90))
    assert alarms(well) == [(NOT_READ, True)]


def test_only_subscriptions_of_folders_that_are_read_are_missed(well: Session, mailbox: str) -> None:
    row = MailboxRow(address=mailbox)
    well.add(row)
    well.flush()
    for path, active in (("Inbox", True), ("Old", False)):
        folder = MailFolderRow(mailbox_id=row.id, graph_id=path, path=path, active=active)
        well.add(folder)
        well.flush()
        well.add(GraphSubscription(folder_id=folder.id, state=SubscriptionState.REMOVED, checked_at=after(-60)))
    well.commit()

    tick(0)

    [alarm] = well.scalars(select(Alarm))
    assert (alarm.kind, alarm.subject) == (AlarmKind.SUBSCRIPTION, mailbox)
    assert "new mails in Inbox." in alarm.message


def test_after_a_pause_of_its_own_the_watchdog_lets_everything_get_going_first(well: Session) -> None:
    well.add(Heartbeat(name="tea", every_seconds=300, beat_at=after(-1), good_at=after(-1)))
    well.commit()

    ticks((600, 605, 610))
    read(well, 612)
    ticks((614,))
    assert alarms(well) == []

    tick(616)  # the import got going, this timer did not
    assert [alarm.subject for alarm in well.scalars(select(Alarm))] == ["tea"]


@pytest.mark.parametrize("_", range(3))
def test_ticks_at_once_open_one_alarm_and_end_it_once(well: Session, _: int) -> None:
    def at_once(minutes: float) -> list[dict[str, int]]:
        ready = Barrier(4)

        def go(_: int) -> dict[str, int]:
            ready.wait()
            return tick(minutes)

        with ThreadPoolExecutor(4) as threads:
            return list(threads.map(go, range(4)))

    dead_letter(well)
    opened = [counts["opened"] for counts in at_once(0)]
    no_dead_letters(well)
    closed = [sum(counts["closed"] for counts in at_once(minutes)) for minutes in (5, 10, 15, 20)]

    assert sorted(opened) == [0, 0, 0, 1]
    assert closed == [0, 0, 0, 1]
    assert well.scalar(select(func.count()).select_from(Alarm)) == 1
