"""The bytes of a mail for who wants them: kept ones, or asked of the mailbox when they are wanted."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta

import pytest
from sqlalchemy import delete

from shared.models.mail import MailRaw
from shared.services.errors import NotFound, Upstream
from shared.services.fetch_eml import fetch_eml
from shared.settings import settings
from tests.builders import arrive, count_of
from tests.fake_graph import Fault
from tests.mails import report_mail
from tests.services.mailbox_world import World


@pytest.fixture(autouse=True)
def _mailbox_is_set(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GRAPH_MAILBOX", world.mailbox.address)
    settings.cache_clear()
    yield
    settings.cache_clear()


def eml_of(world: World, mail_id: int | None = None) -> bytes:
    return fetch_eml(mail_id or world.mails()[0].id, now=world.now, mailbox=lambda: nullcontext(world.mailbox))


def test_the_mailbox_is_asked_once_and_the_bytes_are_kept(world: World) -> None:
    raw = report_mail()
    world.graph.deliver(raw)
    world.read()

    assert [eml_of(world), eml_of(world)] == [raw, raw]
    assert len(world.graph.calls_to("/$value")) == 1


def test_where_nothing_is_to_be_kept_the_mailbox_is_asked_each_time(world: World) -> None:
    world.set(raw_days=0)
    world.graph.deliver()
    world.read()

    assert eml_of(world) == eml_of(world)
    assert count_of(world.db, MailRaw) == 0


def test_a_mail_that_is_gone_from_the_mailbox_is_refused_with_a_sentence(world: World) -> None:
    message = world.graph.deliver()
    world.read()
    world.graph.delete(message)

    with pytest.raises(NotFound, match="no longer in the mailbox"):
        eml_of(world)


def test_a_file_whose_bytes_are_not_kept_is_asked_of_nobody(world: World) -> None:
    mail_id = arrive(world.db, report_mail()).mail_id
    world.db.execute(delete(MailRaw))
    world.db.commit()

    with pytest.raises(NotFound, match="isn't kept"):
        eml_of(world, mail_id)
    assert world.graph.calls == []


def test_no_mail_has_no_bytes(world: World) -> None:
    with pytest.raises(NotFound, match="gone"):
        eml_of(world, 4_711)


@pytest.mark.parametrize("fault, retryable", [(Fault.of(503, times=None), True), (Fault.of(403), False)])
def test_a_mailbox_that_does_not_answer_is_a_sentence_too(world: World, fault: Fault, *, retryable: bool) -> None:
    world.graph.deliver()
    world.read()
    world.graph.faults.add(fault)

    with pytest.raises(Upstream, match="can't be fetched") as refusal:
        eml_of(world)
    assert refusal.value.retryable is retryable


def test_while_graph_wants_to_be_left_alone_nobody_asks(world: World) -> None:
    world.graph.deliver()
    world.read()
    world.row.throttled_until = world.now + timedelta(minutes=5)
    world.db.commit()

    with pytest.raises(Upstream, match="wait"):
        eml_of(world)
    assert world.graph.calls_to("/$value") == []
