"""Import now, in a mail folder and in a mailbox of the fake Graph."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from functions.http_api import import_now
from shared import clock
from shared.clients.errors import Unavailable
from shared.clients.queue_memory import MemoryQueues
from shared.clients.queues import queues_in_this_process
from shared.db.session import transaction
from shared.domain.queue_message import Queue, Wake, WakeReason
from shared.models.mailbox import MailArrival, MailboxRow
from shared.models.system import ImportCycle
from shared.services.ask_for_import import ask_for_import
from tests.fake_graph import FakeGraph
from tests.http_api.client import Browser
from tests.http_api.lists import text_of
from tests.http_api.mail_world import do_what_waits, mailbox_in_a_fake, read_a_mailbox, switch
from tests.mails import report_mail, rubbish_mail

HTMX = {"HX-Request": "true"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The mail folder of this process."""
    (tmp_path / "mailbox").mkdir()
    return tmp_path / "mailbox"


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch, settings_of_the_test: None) -> Iterator[FakeGraph]:
    with mailbox_in_a_fake(monkeypatch) as found:
        yield found


def press(browser: Browser) -> str:
    """Press the button and return the address of its progress."""
    return str(browser.post("/imports", data={"back": "/inbox"}).headers["location"])


def says(browser: Browser, address: str) -> str:
    return text_of(browser.get(address, headers=HTMX).text)


def test_the_button_stands_in_the_inbox_for_those_who_work_there(operator: Browser, viewer: Browser) -> None:
    assert 'action="/imports"' in operator.get("/inbox").text
    assert 'action="/imports"' not in viewer.get("/inbox").text
    assert viewer.post("/imports").status_code == 403


def test_pressing_it_only_asks(operator: Browser, folder: Path) -> None:
    (folder / "one.eml").write_bytes(report_mail())

    address = press(operator)

    assert "Asked for. Waiting for the mail folder to be read" in says(operator, address)
    taken = queues_in_this_process().take(Queue.MAIL_WAKE.value)
    assert taken is not None
    wake = Wake.from_json(taken.body)
    assert (wake.reason, wake.request_id) == (WakeReason.MANUAL, re.findall(r"/imports/([^?]+)", address)[0])


def test_it_ends_in_a_summary_with_what_became_of_the_mails(operator: Browser, folder: Path) -> None:
    (folder / "report.eml").write_bytes(report_mail())
    (folder / "lunch.eml").write_bytes(rubbish_mail())
    (folder / "picture.eml").write_bytes(b"\x89PNG no mail")
    address = press(operator)

    do_what_waits()

    page = operator.get(address).text
    assert "3 new mails imported; the mail folder was read to its end." in text_of(page)
    assert "Fetched 3 New 3 Reports 3 Inbox 2 Quarantined 1" in text_of(page)
    assert 'href="/inbox?view=quarantined"' in page
    assert "hx-trigger" not in re.findall(r'<section class="import-progress".*?>', page)[0]


def test_a_folder_that_was_read_before_brings_nothing_new(operator: Browser, folder: Path) -> None:
    (folder / "report.eml").write_bytes(report_mail())
    press(operator)
    do_what_waits()
    address = press(operator)
    do_what_waits()

    assert "Nothing new; the mail folder was read to its end." in says(operator, address)
    assert "Fetched 1 New 0" in says(operator, address)


def test_what_is_beyond_the_batch_can_be_asked_for(operator: Browser, folder: Path) -> None:
    switch(manual_batch=2)
    for number in range(3):
        (folder / f"{number}.eml").write_bytes(report_mail(f"Job {number}"))
    address = press(operator)
    do_what_waits()

    assert "2 new mails imported." in says(operator, address)
    assert "More are waiting. Import the next 2" in says(operator, address)
    following = press(operator)
    do_what_waits()
    assert "1 new mail imported; the mail folder was read to its end." in says(operator, following)


def test_a_mailbox_is_read_and_then_its_mails(operator: Browser, graph: FakeGraph) -> None:
    for number in range(3):
        graph.deliver(report_mail(f"Job {number}"))
    address = press(operator)

    do_what_waits()

    assert "3 new mails imported; the mailbox was read to its end." in says(operator, address)
    assert "Fetched 3 New 3 Reports 3 Inbox 3" in says(operator, address)


def test_mails_whose_import_is_to_come_are_counted(operator: Browser, graph: FakeGraph) -> None:
    graph.deliver(report_mail())
    address = press(operator)
    do_what_waits()

    an_arrival_during_the_read()

    assert "1 new mail fetched, 1 mail still to be read" in says(operator, address)


def an_arrival_during_the_read() -> None:
    with transaction() as db:
        ended = db.scalars(select(ImportCycle.finished_at)).one()
        row = {"mailbox_id": db.scalars(select(MailboxRow.id)).one(), "received_at": ended, "arrived_at": ended}
        db.add(MailArrival(graph_id="arrived late", content=b"", **row))


def test_trouble_is_told_in_words(operator: Browser, graph: FakeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    read_a_mailbox(monkeypatch, GRAPH_MAILBOX="nobody@msp.example")
    address = press(operator)
    do_what_waits()

    said = says(operator, address)

    assert "The mailbox could not be read to its end." in said
    assert "Fetched 0" in said


def test_two_presses_are_answered_by_one_read(operator: Browser, graph: FakeGraph) -> None:
    graph.deliver(report_mail())
    addresses = [press(operator), press(operator)]

    do_what_waits()

    for address in addresses:
        assert "read to its end" in says(operator, address)
    assert len([call for call in graph.calls if "delta" in call.path]) == 1


def test_a_queue_that_refuses_says_so(operator: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Unavailable("no answer")

    monkeypatch.setattr(MemoryQueues, "send", refuse)

    answer = operator.post("/imports", headers=HTMX)

    assert (answer.status_code, answer.headers["HX-Retarget"]) == (503, "#toasts")
    assert "The queue did not take the request" in text_of(answer.text)


def test_it_goes_on_looking_until_it_is_over_or_takes_too_long(
    operator: Browser, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(ago: timedelta) -> str:
        queues = queues_in_this_process()
        return "/imports/" + ask_for_import(queues, mailbox="", clock=lambda: clock.now() - ago)

    fresh, late, old = asked(timedelta()), asked(import_now.UNHEARD * 1.1), asked(import_now.LONGEST_WATCHED * 1.1)

    assert "load delay:1s" in operator.get(fresh, headers=HTMX).text
    assert 'http-equiv="refresh"' in operator.get(fresh).text
    assert "load delay:3s" in operator.get(late, headers=HTMX).text
    assert "Nobody has taken this up yet." in says(operator, late)
    assert "See what the pipeline does" in says(admin, late)
    assert "load delay" not in operator.get(old, headers=HTMX).text


@pytest.mark.parametrize("wrong", ["x", "20260101T000000000000-xyz", "99999999T999999999999-0123456789abcdef"])
def test_an_import_that_nobody_asked_for_is_not_found(operator: Browser, wrong: str) -> None:
    assert operator.get(f"/imports/{wrong}").status_code == 404


def test_the_way_back_leads_nowhere_else(operator: Browser) -> None:
    address = press(operator).split("?", maxsplit=1)[0]

    assert 'href="//evil.example"' not in operator.get(f"{address}?back=//evil.example").text
    assert 'href="/inbox"' in operator.get(f"{address}?back=/inbox").text
