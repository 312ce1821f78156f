import json
import re

import pytest

from shared.clients.errors import Unavailable
from shared.clients.queue_memory import MemoryQueues
from shared.clients.queues import queues_in_this_process
from shared.db.session import transaction
from shared.domain.queue_message import ParseBatch, Queue, Wake, WakeReason
from shared.models.pipeline import DeadLetter
from tests.builders import NOW
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, rows, text_of
from tests.http_api.mail_world import a_dead_letter, a_mailbox, acts, an_arrival

PATH = "/manage/dead-letters"
WAKE = Wake(reason=WakeReason.TIMER, at=NOW).to_json()


def settled_as(letter_id: int) -> str | None:
    with transaction() as db:
        return db.get_one(DeadLetter, letter_id).settled_as


def batch(*arrival_ids: int) -> str:
    return ParseBatch(arrival_ids=arrival_ids).to_json()


def test_without_any_the_page_says_so(admin: Browser) -> None:
    assert "No work was given up." in text_of(admin.get(PATH).text)


def test_open_ones_come_first_and_settled_ones_keep_their_story(admin: Browser) -> None:
    old = a_dead_letter(WAKE, minutes_ago=500)
    new = a_dead_letter(WAKE, minutes_ago=5)
    admin.post(f"{PATH}/discard", data={"letter": new, "confirmed": "1"})

    page = admin.get(PATH)

    assert [int(each) for each in re.findall(r'name="letter" value="(\d+)" form="bulk"', page.text)] == [old]
    assert "1 open" in text_of(page.text)
    assert "Discarded" in rows(page)[1]
    assert "by the admin" in rows(page)[1]


def test_what_each_was_about_is_told_in_words(admin: Browser) -> None:
    waits = an_arrival(a_mailbox(), error="the database was away")
    a_dead_letter(batch(waits, 99), queue=Queue.MAIL_PARSE, minutes_ago=1)
    a_dead_letter(batch(98, 99), queue=Queue.MAIL_PARSE, minutes_ago=2)
    a_dead_letter(WAKE, minutes_ago=3)
    a_dead_letter('<b>no JSON</b>"', minutes_ago=4)
    a_dead_letter(json.dumps({"version": 1, "ids": [2**70]}), queue=Queue.MAIL_PARSE, minutes_ago=5)

    page = admin.get(PATH)

    told = rows(page)
    assert "1 of 2 mails still waits: the database was away" in told[0]
    assert "All of its 2 mails are imported meanwhile: nothing is lost" in told[1]
    assert "The next read makes up for it" in told[2]
    assert "No message that this version writes" in told[3]
    assert "<b>no JSON" not in page.text


def test_a_retried_message_is_in_its_queue_again(admin: Browser) -> None:
    letter = a_dead_letter(batch(7), queue=Queue.MAIL_PARSE)

    answer = admin.post(f"{PATH}/retry", data={"letter": letter})

    assert answer.headers["location"] == PATH
    assert "1 message put back into the queue." in admin.get(PATH).text
    taken = queues_in_this_process().take(Queue.MAIL_PARSE.value)
    assert taken is not None
    assert (taken.body, settled_as(letter)) == (batch(7), "retried")
    assert len(acts("dead_letter.retried")) == 1


def test_several_are_settled_at_once(admin: Browser) -> None:
    letters = [a_dead_letter(WAKE) for _ in range(3)]

    admin.post(f"{PATH}/retry", data={"letter": [*letters, letters[0]]})

    assert queues_in_this_process().waiting(Queue.MAIL_WAKE) == 3
    assert {settled_as(each) for each in letters} == {"retried"}


def test_discarding_asks_first_where_there_is_no_script(admin: Browser) -> None:
    letter = a_dead_letter(WAKE)

    asked = admin.post(f"{PATH}/discard", data={"letter": letter})

    assert "Discard this message?" in text_of(asked.text)
    assert settled_as(letter) is None
    admin.post(f"{PATH}/discard", data={"letter": letter, "confirmed": "1"})
    assert settled_as(letter) == "discarded"
    assert queues_in_this_process().waiting(Queue.MAIL_WAKE) == 0


@pytest.mark.parametrize("act", ["retry", "discard"])
def test_of_two_people_the_second_is_told(admin: Browser, act: str) -> None:
    letter = a_dead_letter(WAKE)
    admin.post(f"{PATH}/retry", data={"letter": letter})

    late = admin.post(f"{PATH}/{act}", data={"letter": letter, "confirmed": "1"})

    assert (late.status_code, "has been retried already" in text_of(late.text)) == (409, True)
    assert queues_in_this_process().waiting(Queue.MAIL_WAKE) == 1


@pytest.mark.parametrize("act", ["retry", "discard"])
def test_nothing_chosen_changes_nothing(admin: Browser, act: str) -> None:
    assert "Nothing was selected." in text_of(admin.post(f"{PATH}/{act}").text)
    assert admin.post(f"{PATH}/{act}", data={"letter": "4711", "confirmed": "1"}).status_code == 409
    assert admin.post(f"{PATH}/{act}", data={"letter": str(2**64)}).status_code == 422


def test_a_queue_that_refuses_leaves_the_message_open(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Unavailable("no answer")

    letter = a_dead_letter(WAKE)
    monkeypatch.setattr(MemoryQueues, "send", refuse)

    answer = admin.post(f"{PATH}/retry", data={"letter": letter})

    assert (answer.status_code, "it stays here" in text_of(answer.text)) == (503, True)
    assert settled_as(letter) is None


def test_fifty_take_as_many_statements_as_one(admin: Browser) -> None:
    mailbox_id = a_mailbox()
    counts = []
    for number in range(51):
        a_dead_letter(batch(an_arrival(mailbox_id)), queue=Queue.MAIL_PARSE)
        if number in (0, 50):
            with counted_statements() as asked:
                page = admin.get(PATH)
            counts.append(len(asked))

    assert counts[0] == counts[1]
    assert "1–50 of 51" in text_of(page.text)


def test_it_is_for_administrators(operator: Browser) -> None:
    letter = a_dead_letter(WAKE)

    assert operator.get(PATH).status_code == 403
    assert operator.post(f"{PATH}/retry", data={"letter": letter}).status_code == 403
    assert settled_as(letter) is None
