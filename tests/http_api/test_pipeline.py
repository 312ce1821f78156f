from datetime import timedelta

import pytest
from sqlalchemy import update

from shared import clock
from shared.clients.errors import Unavailable
from shared.clients.queue_memory import MemoryQueues
from shared.clients.queues import queues_in_this_process
from shared.db.session import transaction
from shared.domain.mailflow import Source, SubscriptionState
from shared.domain.queue_message import Queue
from shared.domain.ticket import TicketSource
from shared.models.ticketing import TicketingSettings, TicketingState
from shared.services.ticketing_breaker import DatabaseBreaker
from shared.settings import settings
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, rows, text_of
from tests.http_api.mail_world import (
    a_beat,
    a_dead_letter,
    a_folder,
    a_mailbox,
    a_read,
    a_subscription,
    an_arrival,
    read_a_mailbox,
    switch,
)

PATH = "/manage/pipeline"


def says(browser: Browser) -> str:
    return text_of(browser.get(PATH).text)


def test_an_empty_pipeline_says_what_will_stand_there(admin: Browser) -> None:
    page = says(admin)

    assert "No timer has run yet." in page
    assert "Nothing has been read yet." in page
    assert "Every mail that came is imported." in page


def test_a_timer_that_stands_still_is_called_so(admin: Browser) -> None:
    a_beat("mail_import", minutes_ago=14)
    a_beat("graph_subscription", minutes_ago=17 * 60, every=timedelta(hours=6))
    a_beat("watchdog", minutes_ago=16, error="OperationalError")

    page = admin.get(PATH)

    assert "bad Timers 17 h watchdog stands still." in text_of(page.text)
    assert [row.split(" ")[0] for row in rows(page) if "stands still" in row] == ["watchdog"]
    assert "OperationalError" in text_of(page.text)


def test_what_waits_is_counted(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    read_a_mailbox(monkeypatch)
    queues_in_this_process().send(Queue.MAIL_PARSE, ["one", "two"])
    mailbox_id = a_mailbox()
    for _ in range(3):
        an_arrival(mailbox_id, minutes_ago=31)
    a_dead_letter()

    page = says(admin)

    assert "mail-wake 0 mail-parse 2 job-watch 0 ticket-errands 0 Mails waiting to be read 3 Moves waiting 0" in page
    assert "bad Waiting to be read 3 3 mails wait to be imported, the oldest since" in page
    assert "bad Dead letters 1" in page


def test_a_queue_that_does_not_answer_is_no_error(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_answer(*_: object) -> int:
        raise Unavailable("no answer")

    monkeypatch.setattr(MemoryQueues, "waiting", no_answer)

    assert "mail-wake no answer mail-parse no answer" in says(admin)


def test_the_last_reads_tell_whether_they_cover(admin: Browser) -> None:
    switch(import_enabled=True)
    a_read(minutes_ago=20, new=1200)
    a_read(minutes_ago=4, complete=False, error="the mail folder does not exist")

    page = admin.get(PATH)

    assert [row.split(" ", 1)[1] for row in rows(page)] == [
        "Folder Timer 2 s 0 0 no the mail folder does not exist",
        "Folder Timer 2 s 1,200 1,200 yes",
    ]
    assert "good Mail folder 20 m Read to its end; covered until" in text_of(page.text)


def test_folders_show_how_far_they_were_read_and_who_notifies(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    read_a_mailbox(monkeypatch, PUBLIC_URL="https://backups.msp.example")
    switch(import_enabled=True)
    mailbox_id = a_mailbox(last_notification_at=clock.now())
    a_subscription(a_folder(mailbox_id), SubscriptionState.ACTIVE, hours_left=19.5)
    a_folder(mailbox_id, "Inbox/Old", graph_id="old", active=False)

    page = says(admin)

    assert "needs a look Notifications 19 h left Active until" in page
    assert "The last one came" in page
    assert "Inbox/Old no longer" in page


def test_hundreds_of_reads_take_as_many_statements_as_one(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    read_a_mailbox(monkeypatch)
    mailbox_id = a_mailbox()
    counts = []
    for number in range(51):
        a_read(minutes_ago=number, source=Source.GRAPH, mailbox_id=mailbox_id)
        a_beat(f"timer {number}", minutes_ago=number)
        if number in (0, 50):
            with counted_statements() as asked:
                admin.get(PATH)
            counts.append(len(asked))

    assert counts[0] == counts[1]


def test_it_is_for_administrators(operator: Browser) -> None:
    assert operator.get(PATH).status_code == 403


def ticketing(**values: object) -> None:
    """Let Autotask keep the tickets, and be as `values` say."""
    with transaction() as db:
        db.execute(update(TicketingSettings).values(provider=TicketSource.AUTOTASK))
        db.execute(update(TicketingState).values(polled_at=clock.now() - timedelta(minutes=3), **values))


def test_where_tickets_are_kept_by_hand_there_is_nothing_to_say_about_it(admin: Browser) -> None:
    assert "Autotask" not in says(admin).split("Timers")[1]


def test_autotask_is_good_while_its_tickets_are_looked_up(admin: Browser) -> None:
    ticketing()

    assert "good Autotask 3 m Tickets are looked up every 15 minutes." in says(admin)


def test_autotask_is_bad_while_it_refuses_us_or_shows_nothing(admin: Browser) -> None:
    ticketing(vanished=12, poll_error="12 of 20 tickets are not to be seen any more.")
    vanished = says(admin)
    DatabaseBreaker(settings()).open("refused (401)")

    assert "bad Autotask 3 m 12 of 20 tickets are not to be seen any more." in vanished
    assert "bad Autotask 3 m Refused the sign-in" in says(admin)
