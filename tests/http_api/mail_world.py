"""A mailbox or a mail folder as the settings of the process name it, and rows that tell how its import does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select, update

from shared import clock
from shared.clients.queues import queues_in_this_process
from shared.db.session import transaction
from shared.domain.mailflow import Source, SubscriptionState
from shared.domain.queue_message import Queue
from shared.models.audit import AuditEntry
from shared.models.mailbox import GraphSubscription, MailArrival, MailboxRow, MailFolderRow
from shared.models.pipeline import DeadLetter, Heartbeat
from shared.models.system import ImportCycle, SystemSettings
from shared.services.mail_queue import handle_parse, handle_wake
from shared.settings import settings
from tests.fake_graph import FakeGraph

ADDRESS = "reports@msp.example"
_numbers = count(1)


def read_a_mailbox(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    """Let the environment name the mailbox, and whatever else."""
    for name, value in {"GRAPH_MAILBOX": ADDRESS, **environment}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()


@contextmanager
def mailbox_in_a_fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGraph]:
    with FakeGraph(address=ADDRESS) as graph:
        read_a_mailbox(monkeypatch, GRAPH_BASE_URL=graph.url)
        yield graph


def switch(**values: object) -> None:
    with transaction() as db:
        db.execute(update(SystemSettings).values(**values))


def stored_settings() -> SystemSettings:
    with transaction() as db:
        return db.get_one(SystemSettings, 1)


def add(*rows: Any) -> list[int]:
    """Store rows and return their ids."""
    with transaction() as db:
        db.add_all(rows)
        db.flush()
        return [row.id for row in rows if hasattr(row, "id")]


def a_mailbox(**facts: Any) -> int:
    return add(MailboxRow(address=ADDRESS, **facts))[0]


def a_folder(mailbox_id: int, path: str = "Inbox", *, graph_id: str = "inbox", active: bool = True) -> int:
    return add(MailFolderRow(mailbox_id=mailbox_id, graph_id=graph_id, path=path, active=active))[0]


def a_subscription(folder_id: int, state: SubscriptionState, *, hours_left: float = 100, error: str = "") -> None:
    is_active = state is SubscriptionState.ACTIVE
    add(
        GraphSubscription(
            folder_id=folder_id,
            state=state,
            subscription_id=f"subscription {folder_id}" if is_active else None,
            expires_at=clock.now() + timedelta(hours=hours_left) if is_active else None,
            checked_at=clock.now(),
            last_error=error,
        )
    )


def a_read(
    *,
    minutes_ago: float,
    complete: bool = True,
    source: Source = Source.FOLDER,
    mailbox_id: int | None = None,
    error: str = "",
    new: int = 0,
) -> None:
    began = clock.now() - timedelta(minutes=minutes_ago)
    add(
        ImportCycle(
            source=source,
            mailbox_id=mailbox_id,
            trigger="timer",
            started_at=began,
            finished_at=began + timedelta(seconds=2),
            complete=complete,
            counts={"fetched": new, "new": new},
            error=error,
        )
    )


def an_arrival(mailbox_id: int, *, minutes_ago: float = 1, error: str = "") -> int:
    arrived = clock.now() - timedelta(minutes=minutes_ago)
    row = MailArrival(
        mailbox_id=mailbox_id,
        graph_id=f"arrival {next(_numbers)}",
        received_at=arrived,
        arrived_at=arrived,
        content=b"",
        last_error=error,
    )
    return add(row)[0]


def a_beat(name: str, *, minutes_ago: float, every: timedelta = timedelta(minutes=5), error: str = "") -> None:
    moment = clock.now() - timedelta(minutes=minutes_ago)
    add(
        Heartbeat(name=name, every_seconds=int(every.total_seconds()), beat_at=moment, good_at=moment, last_error=error)
    )


def a_dead_letter(body: str = "{}", *, queue: Queue = Queue.MAIL_WAKE, minutes_ago: float = 1) -> int:
    died = clock.now() - timedelta(minutes=minutes_ago)
    return add(DeadLetter(queue=queue.value, message_id=str(next(_numbers)), body=body, died_at=died))[0]


def acts(action: str) -> list[AuditEntry]:
    with transaction() as db:
        return list(db.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


def do_what_waits() -> None:
    """Do what waits in this process's queues, as the functions would."""
    queues = queues_in_this_process()
    queues.drain(
        {
            Queue.MAIL_WAKE.value: lambda taken: handle_wake(taken.body, queues, sleep=lambda _: None),
            Queue.MAIL_PARSE.value: lambda taken: handle_parse(taken.body, queues),
        }
    )
