"""What was given up is kept once, and a person decides about it once."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.clients.errors import Unavailable
from shared.clients.queue_memory import MemoryQueues
from shared.domain.queue_message import Queue
from shared.models.audit import AuditEntry
from shared.models.pipeline import DeadLetter
from shared.services.audit import SYSTEM, Actor
from shared.services.bury_message import bury_message
from shared.services.errors import Conflict, NotAllowed, NotFound, Upstream
from shared.services.retry_dead_letter import discard_dead_letter, retry_dead_letter
from tests.builders import make_user

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class DeadQueues(MemoryQueues):
    """A queue service that is away."""

    def put(self, name: str, body: str, *, delay: timedelta = timedelta()) -> None:
        raise Unavailable("away")


@pytest.fixture
def queues() -> MemoryQueues:
    return MemoryQueues()


@pytest.fixture
def ada(db: Session) -> Actor:
    return make_user(db, "ada")


@pytest.fixture
def letter(db: Session) -> DeadLetter:
    bury_message(db, Queue.MAIL_PARSE, message_id="m1", body='{"ids": [1]}', now=NOW)
    return db.scalars(select(DeadLetter)).one()


def sent(queues: MemoryQueues) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    queues.drain({queue.value: lambda taken: found.append((taken.queue, taken.body)) for queue in Queue})
    return found


def test_a_message_that_is_delivered_twice_is_buried_once(db: Session) -> None:
    buried = [bury_message(db, Queue.MAIL_WAKE, message_id="m1", body="same", now=NOW) for _ in range(2)]

    assert buried == [True, False]
    assert db.scalar(select(func.count()).select_from(DeadLetter)) == 1


def test_the_same_id_in_another_queue_is_another_message(db: Session) -> None:
    for queue in Queue:
        assert bury_message(db, queue, message_id="m1", body="", now=NOW)


def test_a_body_that_no_column_takes_is_kept_all_the_same(db: Session) -> None:
    bury_message(db, Queue.MAIL_WAKE, message_id="m1", body="a\0b", now=NOW)

    assert db.scalars(select(DeadLetter.body)).all() == ["a�b"]


def test_retrying_sends_the_message_to_its_queue_again(
    db: Session, queues: MemoryQueues, ada: Actor, letter: DeadLetter
) -> None:
    retry_dead_letter(db, ada, letter.id, queues=queues, now=NOW)

    assert sent(queues) == [("mail-parse", '{"ids": [1]}')]
    assert (letter.settled_at, letter.settled_by, letter.settled_as) == (NOW, ada.user_id, "retried")
    entry = db.scalars(select(AuditEntry).where(AuditEntry.subject_type == "dead_letter")).one()
    assert (entry.action, entry.user_name, entry.subject_id) == ("dead_letter.retried", "ada", letter.id)


def test_discarding_sends_nothing(db: Session, queues: MemoryQueues, ada: Actor, letter: DeadLetter) -> None:
    discard_dead_letter(db, ada, letter.id, now=NOW)

    assert sent(queues) == []
    assert (letter.settled_at, letter.settled_as) == (NOW, "discarded")
    assert db.scalars(select(AuditEntry.action)).all() == ["dead_letter.discarded"]


def test_a_letter_is_decided_about_once(db: Session, queues: MemoryQueues, ada: Actor, letter: DeadLetter) -> None:
    discard_dead_letter(db, ada, letter.id, now=NOW)

    with pytest.raises(Conflict, match="discarded already"):
        retry_dead_letter(db, ada, letter.id, queues=queues, now=NOW)
    with pytest.raises(NotFound):
        discard_dead_letter(db, ada, letter.id + 1, now=NOW)
    assert sent(queues) == []


def test_a_letter_that_the_queue_does_not_take_stays_open(db: Session, ada: Actor, letter: DeadLetter) -> None:
    with pytest.raises(Upstream, match="stays here"):
        retry_dead_letter(db, ada, letter.id, queues=DeadQueues(), now=NOW)

    assert letter.settled_at is None
    assert db.scalars(select(AuditEntry.action)).all() == []


def test_only_people_decide(db: Session, queues: MemoryQueues, letter: DeadLetter) -> None:
    with pytest.raises(NotAllowed):
        retry_dead_letter(db, SYSTEM, letter.id, queues=queues, now=NOW)

    assert sent(queues) == []
