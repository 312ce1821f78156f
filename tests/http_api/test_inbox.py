import re

import pytest

from shared.domain.mailflow import Ending, Location
from tests.http_api.client import Browser
from tests.http_api.inbox_world import came_in, night, outcome, reading_of, readings, report, rubbish, stored_mail
from tests.http_api.lists import counted_statements, make_customer, rows, text_of
from tests.mails import digest_mail, report_mail


def subjects(browser: Browser, address: str) -> list[str]:
    found = re.findall(r"data-open>([^<]*)</a>", browser.get(address).text)
    return [subject.replace(" (2 objects)", "") for subject in found]


def test_an_empty_inbox_says_why_and_what_next(operator: Browser) -> None:
    page = text_of(operator.get("/inbox").text)

    assert "Nothing waits. Every report has found its job." in page
    assert "To Run Checks" in page


def test_a_row_tells_all_that_is_known_of_a_report(viewer: Browser) -> None:
    mail_id = report("Nightly", status="Failed", origin="OAK-VBR")

    row = rows(viewer.get("/inbox"))[0]

    assert "backup@oak.example OAK-VBR [Failed] Nightly (2 objects)" in row
    assert "Veeam Backup & Replication Backup job Nightly OAK-VBR" in row
    assert "failed New job" in row
    assert f'href="/mails/{mail_id}/raw"' in viewer.get("/inbox").text


def test_the_list_is_narrowed_and_sorted_by_its_address(viewer: Browser) -> None:
    report("Old", nights_ago=3)
    report("New", nights_ago=1)
    rubbish("Lunch?", nights_ago=2)

    assert subjects(viewer, "/inbox") == ["[Success] New", "Lunch?", "[Success] Old"]
    assert subjects(viewer, "/inbox?sort=received") == ["[Success] Old", "Lunch?", "[Success] New"]
    assert subjects(viewer, "/inbox?reason=unrecognised") == ["Lunch?"]
    assert subjects(viewer, "/inbox?software=Veeam+Backup+%26+Replication&q=OLD+success") == ["[Success] Old"]
    assert "Nothing that waits fits." in viewer.get("/inbox?q=%25").text
    assert subjects(viewer, "/inbox?reason=no-such-reason&view=nonsense&sort=-x") == subjects(viewer, "/inbox")


def test_a_page_holds_fifty_rows_and_a_page_that_is_gone_shows_the_last_one(viewer: Browser) -> None:
    for number in range(51):
        rubbish(f"Mail {number:02}", nights_ago=number)

    assert len(rows(viewer.get("/inbox"))) == 50
    assert "1–50 of 51" in text_of(viewer.get("/inbox").text)
    assert subjects(viewer, "/inbox?page=2") == ["Mail 50"]
    assert subjects(viewer, "/inbox?page=9") == ["Mail 50"]
    assert subjects(viewer, "/inbox?page=-1") == subjects(viewer, "/inbox")


def test_fifty_reports_take_as_many_statements_as_one(operator: Browser) -> None:
    counts = []
    for number in range(50):
        report(f"Job {number}", nights_ago=number)
        if number in (0, 49):
            with counted_statements() as asked:
                operator.get("/inbox")
            counts.append(len(asked))

    assert counts[0] == counts[1]


def test_each_report_of_a_digest_has_a_row_that_says_so(viewer: Browser) -> None:
    came_in(digest_mail(("One", "Success"), ("Two", "Failed")))

    listed = rows(viewer.get("/inbox"))

    assert ["1 of 2" in listed[0], "2 of 2" in listed[1]] == [True, True]


def test_what_a_mail_says_is_shown_as_text(viewer: Browser) -> None:
    mail_id = rubbish("<script>alert(1)</script>\"'>")

    for address in ("/inbox", f"/inbox/{mail_id}"):
        page = viewer.get(address).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&gt;" in page


def test_no_checkbox_is_remembered_by_the_browser(operator: Browser) -> None:
    mail_id = report()
    report(nights_ago=2)

    pages = operator.get("/inbox").text + operator.get(f"/inbox/{mail_id}").text
    boxes = re.findall(r"<input[^>]*type=\"(?:checkbox|radio)\"[^>]*>", pages)

    assert len(boxes) >= 5
    assert [box for box in boxes if 'autocomplete="off"' not in box] == []


def test_a_viewer_reads_and_finds_no_forms(viewer: Browser) -> None:
    mail_id = report()

    pages = viewer.get("/inbox").text + viewer.get(f"/inbox/{mail_id}").text

    assert re.findall(r"/inbox/(?:approve|delete|reparse|upload)", pages) == []
    assert "data-select" not in pages
    assert "Approve" not in pages


def test_quarantined_mails_and_duplicates_stand_in_views_of_their_own(operator: Browser) -> None:
    first = came_in(report_mail(sent_at=night(1)))
    came_in(report_mail(sent_at=night(1)))
    came_in(b"\x89PNG", "logo.png")

    quarantined, duplicates = operator.get("/inbox?view=quarantined"), operator.get("/inbox?view=duplicates")

    assert "logo.png" in rows(quarantined)[0]
    assert "it has no headers" in rows(quarantined)[0]
    assert f"mail {first}" in rows(duplicates)[0]
    assert "Quarantined 1" in text_of(operator.get("/inbox").text)


def test_only_administrators_are_shown_the_way_to_deleted_mails(admin: Browser, operator: Browser) -> None:
    assert "/manage/deleted-mails" in admin.get("/inbox").text
    assert "/manage/deleted-mails" not in operator.get("/inbox").text


def test_nothing_is_done_without_the_token_of_the_page(operator: Browser) -> None:
    mail_id = report()
    del operator.headers["X-CSRF-Token"]

    answer = operator.post("/inbox/delete", data={"reading": reading_of(mail_id), "confirmed": "1"})

    assert answer.status_code == 403
    assert outcome(mail_id) is Ending.INBOX


def test_deleting_asks_first_and_keeps_the_reason(operator: Browser) -> None:
    mail_id = report()
    reading = reading_of(mail_id)

    question = operator.post("/inbox/delete", data={"reading": reading})
    assert "Delete these mails?" in question.text
    assert outcome(mail_id) is Ending.INBOX
    answer = operator.post("/inbox/delete?q=x", data={"reading": reading, "confirmed": "1", "reason": "spam"})

    assert answer.headers["location"] == "/inbox?q=x"
    assert outcome(mail_id) is Ending.DISMISSED
    assert (stored_mail(mail_id).location, stored_mail(mail_id).delete_reason) == (Location.DELETED, "spam")


def test_an_administrator_undoes_deleting_from_the_message(admin: Browser, operator: Browser) -> None:
    mine, theirs = report("Mine"), report("Theirs")
    admin.post("/inbox/delete", data={"reading": reading_of(mine), "confirmed": "1"})
    operator.post("/inbox/delete", data={"reading": reading_of(theirs), "confirmed": "1"})

    undo = re.search(r'action="(/manage/deleted-mails/restore[^"]*)"', admin.get("/inbox").text)
    assert undo
    answer = admin.post(undo[1].replace("&amp;", "&"))

    assert answer.headers["location"] == "/inbox"
    assert [outcome(mine), outcome(theirs)] == [Ending.INBOX, Ending.DISMISSED]
    assert "/manage/deleted-mails/restore" not in operator.get("/inbox").text


def test_deleting_what_somebody_else_deleted_changes_nothing(operator: Browser) -> None:
    mail_id = report()
    sent = {"reading": reading_of(mail_id), "confirmed": "1", "reason": "first"}
    operator.post("/inbox/delete", data=sent)

    operator.post("/inbox/delete", data=sent | {"reason": "second"})

    assert "0 mails deleted." in operator.get("/inbox").text
    assert stored_mail(mail_id).delete_reason == "first"


def test_reading_again_gives_a_report_to_the_job_that_is_known_by_now(operator: Browser) -> None:
    first, second = report(nights_ago=2), report(nights_ago=1)
    make_customer("Oak")
    operator.post(f"/inbox/{first}/readings/{reading_of(first)}/approve", data={"customer": "Oak"})

    operator.post("/inbox/reparse", data={"reading": reading_of(second)})

    assert outcome(second) is Ending.RUN
    assert "1 mail read again; 1 left the Inbox." in operator.get("/inbox").text


def test_reading_everything_again_goes_in_batches(operator: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.http_api.inbox.reparse.BATCH", 2)
    for number in range(3):
        rubbish(f"Mail {number}")

    half = operator.post("/inbox/reparse-all")
    progress = operator.get(half.headers["location"]).text
    fields = dict(re.findall(r'name="(after|done|left)" value="(\d+)"', progress))
    whole = operator.post("/inbox/reparse-all", data=fields)

    assert "2 of 3 mails read" in text_of(progress)
    assert whole.headers["location"] == "/inbox"
    assert "3 mails read again; none left the Inbox." in operator.get("/inbox").text


@pytest.mark.parametrize("action", ["approve", "delete", "reparse"])
def test_a_button_without_a_selection_says_so(action: str, operator: Browser) -> None:
    answer = operator.post(f"/inbox/{action}")

    assert answer.headers["location"] == "/inbox"
    assert "Nothing was selected." in operator.get("/inbox").text


def test_many_reports_are_approved_for_one_customer_equal_ones_as_one_job(operator: Browser) -> None:
    make_customer("Oak")
    mails = [report("Nightly", nights_ago=2), report("Nightly", nights_ago=1), report("Weekly"), rubbish()]

    answer = operator.post(
        "/inbox/approve", data={"reading": [reading_of(each) for each in mails], "customer": " oak "}
    )

    assert answer.status_code == 303
    assert [outcome(each) for each in mails] == [Ending.RUN, Ending.RUN, Ending.RUN, Ending.INBOX]
    assert len({readings(each)[0].job_id for each in mails[:3]}) == 2
    said = text_of(operator.get("/inbox").text)
    assert "3 mails of 2 jobs approved for Oak. 1 row still waits: Nothing was read in this mail" in said


def test_approving_many_for_an_unknown_name_offers_to_create_the_customer(operator: Browser) -> None:
    mail_id = report()
    sent = {"reading": reading_of(mail_id), "customer": "Elm & Sons"}

    question = operator.post("/inbox/approve", data=sent)
    assert question.status_code == 422
    assert "Create customer “Elm &amp; Sons” and approve" in question.text
    assert f'name="reading" value="{reading_of(mail_id)}"' in question.text
    operator.post("/inbox/approve", data=sent | {"create": "1"})

    assert outcome(mail_id) is Ending.RUN


def test_type_aheads_offer_names_that_have_the_words_anywhere(operator: Browser, viewer: Browser) -> None:
    make_customer("Bakery <Oak>")
    make_customer("Oak in the past", active=False)

    offered = operator.get("/inbox/customer-options?customer=oak").text

    assert re.findall(r'data-value="([^"]*)"', offered) == ["Bakery &lt;Oak&gt;"]
    assert viewer.get("/inbox/customer-options?customer=oak").status_code == 403
