import re

from shared.domain.mailflow import Ending
from tests.http_api.client import Browser
from tests.http_api.inbox_world import came_in, outcome, readings, report, rubbish
from tests.http_api.lists import counted_statements, make_customer, rows
from tests.mails import digest_mail

PATH = "/manage/deleted-mails"


def deleted(browser: Browser, mail_id: int, reason: str = "") -> int:
    assert browser.post(f"/inbox/{mail_id}/delete", data={"reason": reason}).status_code == 303
    return mail_id


def test_nothing_deleted_says_so(admin: Browser) -> None:
    assert "Nothing is deleted." in admin.get(PATH).text


def test_a_deleted_mail_is_listed_with_who_and_why(admin: Browser, operator: Browser) -> None:
    deleted(operator, rubbish("Lunch?"), "not a <report>")

    row = rows(admin.get(PATH))[0]

    assert "Lunch?" in row
    assert "the operator not a <report>" in row


def test_deleted_mails_are_found_by_their_words(admin: Browser) -> None:
    deleted(admin, rubbish("Lunch?"), "spam")
    deleted(admin, rubbish("Dinner?"))

    assert len(rows(admin.get(f"{PATH}?q=SPAM"))) == 1
    assert "No deleted mail fits." in admin.get(f"{PATH}?q=breakfast").text


def test_a_mail_that_is_brought_back_waits_again(admin: Browser) -> None:
    mail_id = deleted(admin, report())

    answer = admin.post(f"{PATH}/restore?mail={mail_id}")

    assert answer.headers["location"] == PATH
    assert outcome(mail_id) is Ending.INBOX
    assert admin.post(f"{PATH}/restore?mail={mail_id}").status_code == 409


def test_a_mail_that_is_brought_back_finds_the_job_that_is_known_by_now(admin: Browser) -> None:
    gone, kept = deleted(admin, report(nights_ago=2)), report(nights_ago=1)
    make_customer("Oak")
    admin.post(f"/inbox/{kept}/readings/{readings(kept)[0].id}/approve", data={"customer": "Oak"})

    admin.post(f"{PATH}/restore?mail={gone}")

    assert outcome(gone) is Ending.RUN


def test_a_digest_comes_back_whole(admin: Browser) -> None:
    mail_id = deleted(admin, came_in(digest_mail(("One", "Success"), ("Two", "Failed"))))

    admin.post(f"{PATH}/restore?mail={mail_id}")

    assert [reading.outcome for reading in readings(mail_id)] == [Ending.INBOX, Ending.INBOX]


def test_only_administrators_see_and_bring_back(operator: Browser) -> None:
    mail_id = deleted(operator, report())

    assert operator.get(PATH).status_code == 403
    assert operator.post(f"{PATH}/restore?mail={mail_id}").status_code == 403
    assert outcome(mail_id) is Ending.DISMISSED


def test_bringing_back_leads_nowhere_but_to_our_pages(admin: Browser) -> None:
    mail_id = deleted(admin, report())

    answer = admin.post(f"{PATH}/restore?mail={mail_id}&back=https://evil.example")

    assert answer.headers["location"] == "/"


def test_fifty_deleted_mails_take_as_many_statements_as_one(admin: Browser) -> None:
    counts = []
    for number in range(51):
        deleted(admin, rubbish(f"Mail {number}", nights_ago=number))
        if number in (0, 50):
            with counted_statements() as asked:
                page = admin.get(PATH)
            counts.append(len(asked))

    assert counts[0] == counts[1]
    assert re.search(r"1–50 of 51", page.text)
