import re

import pytest

from shared import clock
from shared.db.session import transaction
from shared.domain.mailflow import Ending, Location
from shared.services.import_mail import quarantine_mail
from tests.builders import delivery
from tests.http_api.client import Browser
from tests.http_api.inbox_world import came_in, night, outcome, readings, report, stored_mail
from tests.http_api.lists import counted_statements, rows, text_of
from tests.mails import report_mail

LIST = "/inbox?view=quarantined"
NO_MAIL = b"\x89PNG"


def crashed(job: str = "Nightly", name: str = "nightly.eml") -> int:
    """Let a report come in whose import crashed by a bug that is mended since; return its id."""
    with transaction() as db:
        broken = delivery(report_mail(job, sent_at=night(1)), name)
        return quarantine_mail(db, broken, "the import crashed: KeyError", now=clock.now()).mail_id


def test_each_is_listed_with_its_file_and_the_reason(viewer: Browser) -> None:
    came_in(NO_MAIL, "logo.png")
    crashed(name="<nightly>.eml")

    listed = rows(viewer.get(LIST))

    assert [row.split()[0] for row in listed] == ["<nightly>.eml", "logo.png"]
    assert "the import crashed: KeyError" in listed[0]
    assert "it has no headers" in listed[1]


def test_nothing_quarantined_says_so(viewer: Browser) -> None:
    assert "Nothing is quarantined." in viewer.get(LIST).text


def test_one_that_can_be_read_now_shows_what_it_has_become(operator: Browser) -> None:
    mail_id = crashed()

    answer = operator.post("/inbox/quarantined/reparse", data={"mail": mail_id})

    assert answer.headers["location"] == f"/mails/{mail_id}"
    assert outcome(mail_id) is Ending.INBOX
    page = text_of(operator.get(f"/mails/{mail_id}").text)
    assert "Read again: this is what it is now." in page
    assert "Open in the Inbox" in page
    assert "New job" in page


def test_one_that_is_still_no_mail_stays_with_the_reason(operator: Browser) -> None:
    mail_id = came_in(NO_MAIL, "logo.png")

    answer = operator.post("/inbox/quarantined/reparse", data={"mail": mail_id, "back": f"/mails/{mail_id}"})

    assert answer.headers["location"] == f"/mails/{mail_id}"
    page = text_of(operator.get(f"/mails/{mail_id}").text)
    assert "Read again; it still can't be read as a mail." in page
    assert "Quarantined: it has no headers" in page


def test_several_are_read_again_at_once(operator: Browser) -> None:
    mails = [crashed("One", "1.eml"), crashed("Two", "2.eml"), came_in(NO_MAIL, "logo.png")]

    answer = operator.post("/inbox/quarantined/reparse", data={"mail": mails})

    assert answer.headers["location"] == LIST
    page = operator.get(LIST)
    assert "3 mails read again; 2 can be read now." in text_of(page.text)
    assert [row.split()[0] for row in rows(page)] == ["logo.png"]


def test_deleting_asks_first_and_keeps_the_reason(operator: Browser) -> None:
    mail_id = came_in(NO_MAIL, "logo.png")

    question = operator.post("/inbox/quarantined/delete", data={"mail": mail_id})
    assert "Delete these mails? They make no runs" in text_of(question.text)
    assert f'name="mail" value="{mail_id}"' in question.text
    assert outcome(mail_id) is Ending.QUARANTINED
    sent = {"mail": mail_id, "confirmed": "1", "reason": " a logo "}
    answer = operator.post("/inbox/quarantined/delete", data=sent)

    assert answer.headers["location"] == LIST
    assert (stored_mail(mail_id).location, stored_mail(mail_id).delete_reason) == (Location.DELETED, "a logo")
    page = operator.get(LIST).text
    assert "1 mail deleted." in page
    assert "Nothing is quarantined." in page


def test_an_administrator_undoes_deleting_from_the_message(admin: Browser) -> None:
    mail_id = came_in(NO_MAIL, "logo.png")
    admin.post("/inbox/quarantined/delete", data={"mail": mail_id, "confirmed": "1"})

    undo = re.search(r'action="(/manage/deleted-mails/restore[^"]*)"', admin.get(LIST).text)
    assert undo
    answer = admin.post(undo[1].replace("&amp;", "&"))

    assert answer.headers["location"] == LIST
    assert outcome(mail_id) is Ending.QUARANTINED
    assert "logo.png" in rows(admin.get(LIST))[0]


def test_a_deleted_one_stands_among_the_deleted_mails(admin: Browser) -> None:
    mail_id = crashed()
    admin.post("/inbox/quarantined/delete", data={"mail": mail_id, "confirmed": "1", "reason": "old"})

    listed = rows(admin.get("/manage/deleted-mails"))
    admin.post(f"/manage/deleted-mails/restore?mail={mail_id}")

    assert "nightly.eml" in listed[0]
    assert [reading.outcome for reading in readings(mail_id)] == [Ending.INBOX]


@pytest.mark.parametrize("action", ["reparse", "delete"])
def test_a_button_without_a_selection_says_so(action: str, operator: Browser) -> None:
    answer = operator.post(f"/inbox/quarantined/{action}")

    assert answer.headers["location"] == LIST
    assert "Nothing was selected." in operator.get(LIST).text


@pytest.mark.parametrize("action", ["reparse", "delete"])
def test_an_id_that_no_mail_can_have_is_refused(action: str, operator: Browser) -> None:
    sent = {"mail": str(2**63), "confirmed": "1"}

    assert operator.post(f"/inbox/quarantined/{action}", data=sent).status_code == 422


def test_a_mails_page_offers_both_only_while_it_is_quarantined(operator: Browser) -> None:
    quarantined, waiting = operator.get(f"/mails/{crashed()}").text, operator.get(f"/mails/{report()}").text

    assert set(re.findall(r"/inbox/quarantined/\w+", quarantined)) == {
        "/inbox/quarantined/reparse",
        "/inbox/quarantined/delete",
    }
    assert "/inbox/quarantined/" not in waiting


def test_a_viewer_reads_and_finds_no_forms(viewer: Browser) -> None:
    mail_id = crashed()

    pages = viewer.get(LIST).text + viewer.get(f"/mails/{mail_id}").text

    assert "/inbox/quarantined/" not in pages
    assert "data-select" not in pages
    assert viewer.post("/inbox/quarantined/reparse", data={"mail": mail_id}).status_code == 403
    assert outcome(mail_id) is Ending.QUARANTINED


def test_fifty_take_as_many_statements_as_one(operator: Browser) -> None:
    counts = []
    for number in range(51):
        came_in(NO_MAIL, f"{number}.png")
        if number in (0, 50):
            with counted_statements() as asked:
                page = operator.get(LIST)
            counts.append(len(asked))

    assert counts[0] == counts[1]
    assert "1–50 of 51" in text_of(page.text)
