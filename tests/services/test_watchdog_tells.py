"""From a fact to a message: what those outside hear of an incident, and what the dead-man's switches hear."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.alarm import TargetKind
from shared.models.mailbox import MailArrival, MailboxRow
from shared.models.pipeline import AlarmTarget
from tests.receiver import Answer, Receiver, receiving
from tests.services.watch_world import add, after, all_is_well, judge, read, switch_import, tick, ticks


@pytest.fixture
def well(committed_db: Session, secret_key: str) -> Session:
    all_is_well(committed_db)
    return committed_db


@pytest.fixture
def receiver(well: Session) -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_an_incident_is_told_by_one_message_when_it_begins_and_one_when_it_ends(
    well: Session, receiver: Receiver
) -> None:
    add(well, receiver, "oncall")

    ticks(range(0, 180, 5))
    read(well, 180)
    ticks(range(180, 230, 5))

    assert [each.json["event"] for each in receiver.received] == ["opened", "ended"]
    assert {each.json["alarm_id"] for each in receiver.received} == {receiver.received[0].json["alarm_id"]}


def test_a_receiver_that_was_down_hears_of_both_when_it_is_back(well: Session, receiver: Receiver) -> None:
    add(well, receiver, "oncall")
    receiver.answers = [Answer(503)] * 4

    ticks(range(0, 80, 5))
    read(well, 80)
    ticks(range(80, 140, 5))

    heard = [each.json["event"] for each in receiver.received]
    assert heard == ["opened"] * 5 + ["ended"]


def pings(receiver: Receiver) -> int:
    return sum(each.method == "GET" for each in receiver.received)


def test_a_dead_mans_switch_is_pinged_once_after_each_complete_cycle(well: Session, receiver: Receiver) -> None:
    add(well, receiver, "switch", TargetKind.DEAD_MAN)
    judge(well, -1)
    tick(0)
    assert pings(receiver) == 1

    counts = []
    for minutes in range(5, 35, 5):
        if minutes in (5, 20):
            read(well, minutes - 1)
            judge(well, minutes - 1)
        read(well, minutes - 1, complete=False)
        counts.append(tick(minutes)["pinged"])

    assert counts == [1, 0, 0, 1, 0, 0]
    assert [each.path for each in receiver.received] == ["/switch"] * 3


def test_a_dead_mans_switch_hears_of_no_alarm_and_nothing_while_nothing_is_read(
    well: Session, receiver: Receiver
) -> None:
    add(well, receiver, "switch", TargetKind.DEAD_MAN)
    judge(well, -1)
    tick(0)
    switch_import(well, on=False)

    ticks(range(5, 120, 5))

    assert [each.method for each in receiver.received] == ["GET"]


def test_a_dead_mans_switch_hears_nothing_while_silence_is_not_judged(well: Session, receiver: Receiver) -> None:
    add(well, receiver, "switch", TargetKind.DEAD_MAN)
    judge(well, -1)
    tick(0)

    for minutes in range(5, 35, 5):
        read(well, minutes - 1)
        tick(minutes)

    assert pings(receiver) == 1


def test_a_ping_that_failed_is_sent_again_at_the_next_tick(well: Session, receiver: Receiver) -> None:
    add(well, receiver, "switch", TargetKind.DEAD_MAN)
    judge(well, -1)
    receiver.answers = [Answer(500)]

    assert [tick(minutes)["pinged"] for minutes in (0, 5, 10)] == [0, 1, 0]
    assert well.scalars(select(AlarmTarget.last_error)).all() == [""]


def test_what_was_read_but_waits_too_long_is_not_pinged(well: Session, receiver: Receiver) -> None:
    add(well, receiver, "switch", TargetKind.DEAD_MAN)
    judge(well, -1)
    mailbox = MailboxRow(address="reports@oak.example")
    well.add(mailbox)
    well.flush()
    well.add(MailArrival(mailbox_id=mailbox.id, graph_id="1", received_at=after(0), arrived_at=after(-31), content=b""))
    well.commit()

    assert tick(0)["pinged"] == 0


def test_a_switched_off_target_hears_nothing(well: Session, receiver: Receiver) -> None:
    target_id = add(well, receiver, "switch", TargetKind.DEAD_MAN)
    judge(well, -1)
    well.get_one(AlarmTarget, target_id).active = False
    well.commit()

    assert tick(0)["pinged"] == 0
