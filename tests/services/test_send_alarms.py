"""Telling targets: at least once, in order, with patience, and without one holding up the others."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.clients import notify
from shared.clients.notify import Notifier
from shared.domain.alarm import MOST_ATTEMPTS, AlarmKind, TargetKind
from shared.domain.alarm_course import Decision
from shared.domain.watch import Finding
from shared.models.pipeline import Alarm, AlarmDelivery, AlarmTarget
from shared.services.alarm_targets import add_target, delete_target, switch_target
from shared.services.audit import Actor
from shared.services.keep_alarms import keep_alarms
from shared.services.send_alarms import pause_after, send_alarms
from tests.builders import NOW, make_user
from tests.receiver import Answer, Receiver, receiving

ROOT = Path(__file__).parents[2]


@pytest.fixture
def receiver(secret_key: str) -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def anna(committed_db: Session) -> Actor:
    actor = make_user(committed_db, "anna")
    committed_db.commit()
    return actor


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def add(
    db: Session, who: Actor, receiver: Receiver, name: str = "On call", kind: TargetKind = TargetKind.WEBHOOK
) -> int:
    target = add_target(
        db, name, kind=kind.value, address=receiver.url(f"/{name.replace(' ', '-')}"), actor=who, now=NOW
    )
    db.commit()
    return target.id


def begin(db: Session, subject: str = "mail-parse", minutes: float = 0) -> int:
    finding = Finding(kind=AlarmKind.DEAD_LETTERS, subject=subject, message="1 message failed too often.")
    keep_alarms(db, Decision(begin=(finding,)), now=at(minutes))
    db.commit()
    return db.scalars(select(Alarm.id).order_by(Alarm.id.desc())).first() or 0


def end(db: Session, alarm_id: int, minutes: float) -> None:
    keep_alarms(db, Decision(calm=(alarm_id,)), now=at(minutes - 15))
    keep_alarms(db, Decision(end=(alarm_id,)), now=at(minutes))
    db.commit()


def send(minutes: float = 0) -> dict[str, int]:
    return send_alarms(Notifier(production=False), clock=lambda: at(minutes))


def delivery(db: Session) -> AlarmDelivery:
    db.expire_all()
    return db.scalars(select(AlarmDelivery)).one()


def test_beginning_and_end_are_told_in_the_documented_words(
    committed_db: Session, anna: Actor, receiver: Receiver
) -> None:
    add(committed_db, anna, receiver)
    alarm_id = begin(committed_db)
    send()
    end(committed_db, alarm_id, 60)
    send(60)

    assert [each.json for each in receiver.received] == [
        {
            "version": 1,
            "source": "backupchecks",
            "event": event,
            "key": f"alarm-{alarm_id}-{event}",
            "alarm_id": alarm_id,
            "kind": "dead_letters",
            "title": "Work was given up",
            "subject": "mail-parse",
            "message": "1 message failed too often.",
            "opened_at": "2026-03-03T07:00:00+00:00",
            "closed_at": closed_at,
            "link": None,
        }
        for event, closed_at in (("opened", None), ("ended", "2026-03-03T07:45:00+00:00"))
    ]
    assert receiver.received[0].headers["Idempotency-Key"] == f"alarm-{alarm_id}-opened"
    assert send(60) == {"sent": 0, "failed": 0}


def test_teams_gets_a_card(committed_db: Session, anna: Actor, receiver: Receiver) -> None:
    add(committed_db, anna, receiver, kind=TargetKind.TEAMS)
    alarm_id = begin(committed_db)
    send()

    [attachment] = receiver.received[0].json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    title, message, since, footer = attachment["content"]["body"]
    assert title["text"] == "Alarm: Work was given up"
    assert message["inlines"][0]["text"] == "1 message failed too often."
    assert since["text"] == "Since {{DATE(2026-03-03T07:00:00Z, SHORT)}} {{TIME(2026-03-03T07:00:00Z)}}"
    assert footer["inlines"][0]["text"] == f"mail-parse · alarm-{alarm_id}-opened"


def test_what_failed_is_said_again_later_and_then_no_more(
    committed_db: Session, anna: Actor, receiver: Receiver
) -> None:
    add(committed_db, anna, receiver)
    begin(committed_db)
    receiver.answers = [Answer(500)]

    assert send(0) == {"sent": 0, "failed": 1}
    assert committed_db.scalars(select(AlarmTarget.last_error)).all() == ["It answered with status 500."]
    assert [sum(send(minutes).values()) for minutes in (0, 0.9, 1, 60)] == [0, 0, 1, 0]
    committed_db.expire_all()
    assert committed_db.scalars(select(AlarmTarget.last_error)).all() == [""]
    assert len(set(receiver.keys)) == 1


def test_a_wait_that_the_target_asks_for_is_kept(committed_db: Session, anna: Actor, receiver: Receiver) -> None:
    add(committed_db, anna, receiver)
    begin(committed_db)
    receiver.answers = [Answer(429, {"Retry-After": "1800"})]
    send(0)

    assert delivery(committed_db).due_at == at(30)
    assert send(29)["sent"] == 0
    assert send(30)["sent"] == 1


def test_it_is_given_up_after_ten_attempts_and_the_last_reason_stays(
    committed_db: Session, anna: Actor, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    add(committed_db, anna, receiver)
    begin(committed_db)
    receiver.answers = [Answer(503)] * 20

    failed = [send(hours * 60)["failed"] for hours in range(0, 60, 3)]

    assert sum(failed) == MOST_ATTEMPTS == len(receiver.received)
    given_up = delivery(committed_db)
    assert (given_up.attempts, given_up.sent_at, given_up.last_error) == (10, None, "It answered with status 503.")
    assert [record.levelname for record in caplog.records if record.name == "shared.services.send_alarms"] == [
        *["WARNING"] * 9,
        "ERROR",
    ]


@pytest.mark.parametrize("answer", [Answer(404), Answer(302, {"Location": "http://127.0.0.1/"})])
def test_a_refusal_is_not_asked_again(committed_db: Session, anna: Actor, receiver: Receiver, answer: Answer) -> None:
    add(committed_db, anna, receiver)
    begin(committed_db)
    receiver.answers = [answer]

    assert [send(minutes)["failed"] for minutes in (0, 600)] == [1, 0]
    assert delivery(committed_db).attempts == MOST_ATTEMPTS


def test_patience_doubles_up_to_two_hours() -> None:
    minutes = [pause_after(attempts) // timedelta(minutes=1) for attempts in range(1, 11)]

    assert minutes == [1, 2, 4, 8, 16, 32, 64, 120, 120, 120]


def test_an_end_is_told_only_after_its_beginning(committed_db: Session, anna: Actor, receiver: Receiver) -> None:
    add(committed_db, anna, receiver)
    receiver.answers = [Answer(500)]
    alarm_id = begin(committed_db)
    send(0)
    end(committed_db, alarm_id, 0.5)

    assert send(0.6) == {"sent": 0, "failed": 0}
    assert send(1) == {"sent": 2, "failed": 0}
    assert receiver.keys[1:] == [f"alarm-{alarm_id}-opened", f"alarm-{alarm_id}-ended"]


def test_one_that_hangs_holds_up_nobody(
    committed_db: Session, anna: Actor, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "TIMEOUT", (0.2, 0.2))
    hold = threading.Event()
    with receiving() as hanging:
        hanging.answers = [Answer(hold=hold)] * 5
        add(committed_db, anna, hanging, "Hangs")
        add(committed_db, anna, receiver, "Takes")
        for subject in ("mail-parse", "mail-wake", "tea"):
            begin(committed_db, subject)

        assert send(0) == {"sent": 3, "failed": 1}
        assert len(hanging.received) == 1  # the rest has its turn another time
        hold.set()


def test_a_changed_key_breaks_one_target_and_says_why(
    committed_db: Session, anna: Actor, receiver: Receiver, secret_key: str
) -> None:
    target_id = add(committed_db, anna, receiver, "Old key")
    other = committed_db.get_one(AlarmTarget, target_id)
    committed_db.execute(update(AlarmTarget).values(address=other.address[:-8] + b"AAAAAAA="))
    add(committed_db, anna, receiver, "New key")
    begin(committed_db)

    assert send() == {"sent": 1, "failed": 1}
    [trouble] = committed_db.scalars(select(AlarmTarget.last_error).where(AlarmTarget.id == target_id))
    assert "APP_SECRET_KEY has changed" in trouble


def test_whoever_joins_is_told_what_is_wrong_already_and_nothing_twice(
    committed_db: Session, anna: Actor, receiver: Receiver
) -> None:
    alarm_id = begin(committed_db)
    target_id = add(committed_db, anna, receiver)
    send()
    for active in (False, True):
        switch_target(committed_db, target_id, active=active, actor=anna, now=NOW)
        committed_db.commit()
    send()

    assert receiver.keys == [f"alarm-{alarm_id}-opened"]


def test_who_is_switched_off_is_told_nothing_and_what_waited_is_forgotten(
    committed_db: Session, anna: Actor, receiver: Receiver
) -> None:
    target_id = add(committed_db, anna, receiver)
    alarm_id = begin(committed_db)
    switch_target(committed_db, target_id, active=False, actor=anna, now=NOW)
    committed_db.commit()
    begin(committed_db, "mail-wake")
    end(committed_db, alarm_id, 20)

    assert send(30) == {"sent": 0, "failed": 0}
    assert committed_db.scalars(select(AlarmDelivery)).all() == []


def test_a_target_that_is_deleted_while_it_is_told_breaks_nothing(
    committed_db: Session, anna: Actor, receiver: Receiver
) -> None:
    target_id = add(committed_db, anna, receiver)
    begin(committed_db)

    def delete() -> None:
        delete_target(committed_db, target_id, actor=anna, now=NOW)
        committed_db.commit()

    receiver.meanwhile = delete

    assert send() == {"sent": 1, "failed": 0}
    assert committed_db.scalars(select(AlarmDelivery)).all() == []


def test_many_senders_at_once_say_each_thing_once(committed_db: Session, anna: Actor, receiver: Receiver) -> None:
    for name in ("One", "Two", "Three"):
        add(committed_db, anna, receiver, name)
    for subject in "abcdef":
        begin(committed_db, subject)

    with ThreadPoolExecutor(4) as threads:
        counts = list(threads.map(lambda _: send(), range(4)))

    assert sum(count["sent"] for count in counts) == 18
    assert len({(each.path, each.json["key"]) for each in receiver.received}) == len(receiver.received) == 18


SENDER = """
from datetime import datetime
from shared.clients.notify import Notifier
from shared.db.session import configure
from shared.services.send_alarms import send_alarms
configure("{url}")
send_alarms(Notifier(production=False), clock=lambda: datetime.fromisoformat("{now}"))
"""


def test_a_sender_that_is_killed_loses_nothing(
    committed_db: Session, clean_database: str, anna: Actor, receiver: Receiver, secret_key: str
) -> None:
    add(committed_db, anna, receiver)
    alarm_id = begin(committed_db)
    process: subprocess.Popen[bytes]
    started = threading.Event()

    def kill() -> None:  # it has said it, and can't write that down any more
        started.wait(30)
        process.send_signal(signal.SIGKILL)
        process.wait(30)

    receiver.meanwhile = kill
    environment = {**os.environ, "APP_SECRET_KEY": secret_key}
    code = SENDER.format(url=clean_database, now=NOW.isoformat())
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)
    started.set()
    process.wait(60)
    receiver.meanwhile = lambda: None

    assert process.returncode == -signal.SIGKILL
    assert send(0.9)["sent"] == 0  # its claim still holds
    assert send(1)["sent"] == 1
    assert receiver.keys == [f"alarm-{alarm_id}-opened"] * 2
