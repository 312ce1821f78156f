import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, update

from functions.http_api.formats import ui_zone
from shared import clock
from shared.db.session import transaction
from shared.models.mail import MailMessage, MailReading
from tests.builders import make_arrival
from tests.http_api.client import Browser
from tests.http_api.inbox_world import came_in, night, reading_of, report, rubbish
from tests.http_api.lists import counted_statements, make_customer, rows, text_of
from tests.mails import digest_mail, report_mail, trial_mail

OUTCOMES = {"run", "inbox", "duplicate", "ignored", "archived", "dismissed", "event", "quarantined"}


def today() -> str:
    return clock.now().astimezone(ui_zone()).date().isoformat()


def a_busy_day(operator: Browser) -> None:
    """One mail of each kind: a run, a digest of two that wait, a duplicate, an event, a deleted one, no mail at all."""
    make_customer("Oak")
    first = came_in(report_mail(sent_at=night(1)))
    came_in(report_mail(sent_at=night(1)))
    operator.post(f"/inbox/{first}/readings/{reading_of(first)}/approve", data={"customer": "Oak"})
    came_in(digest_mail(("One", "Success"), ("Two", "Failed")))
    came_in(trial_mail())
    came_in(b"\x89PNG", "logo.png")
    operator.post(f"/inbox/{rubbish()}/delete")


def test_a_day_adds_up_and_each_figure_leads_to_its_mails(operator: Browser, viewer: Browser) -> None:
    a_busy_day(operator)

    page = viewer.get("/manage/ledger")

    assert re.search(r"\w{3} \d+ \w{3} 6 7 1 2 1 0 0 1 1 1$", rows(page)[0])
    assert 'aria-label="yes"' in page.text
    assert len(rows(page)) == 30
    for address in re.findall(r'href="(/manage/ledger/mails[^"]+)">(\d+)<', page.text):
        assert len(rows(viewer.get(address[0].replace("&amp;", "&")))) == int(address[1])


def test_a_mail_without_an_outcome_would_be_shouted_about(viewer: Browser) -> None:
    mail_id = report()
    with transaction() as db:
        db.execute(delete(MailReading).where(MailReading.mail_id == mail_id))

    assert "1 mail without an outcome" in rows(viewer.get("/manage/ledger"))[0]


def test_the_api_gives_the_figures_of_one_day(operator: Browser) -> None:
    a_busy_day(operator)

    answer = operator.get(f"/api/mail-ledger?day={today()}").json()

    assert list(answer) == ["day", "fetched", "being_read", "readings", "outcomes"]
    assert (answer["day"], answer["fetched"], answer["readings"]) == (today(), 6, 7)
    assert set(answer["outcomes"]) == OUTCOMES
    assert sum(answer["outcomes"].values()) == answer["readings"]


def test_mails_that_a_mailbox_handed_over_count_as_being_read(operator: Browser, viewer: Browser) -> None:
    a_busy_day(operator)
    with transaction() as db:
        make_arrival(db, report_mail(), now=clock.now())

    answer = viewer.get(f"/api/mail-ledger?day={today()}").json()

    assert (answer["fetched"], answer["being_read"], answer["readings"]) == (7, 1, 7)
    assert rows(viewer.get("/manage/ledger"))[0].endswith("1 mail being read")


def test_a_day_without_mails_has_figures_too(viewer: Browser) -> None:
    answer = viewer.get("/api/mail-ledger?day=2020-02-29").json()

    assert (answer["fetched"], answer["readings"], set(answer["outcomes"].values())) == (0, 0, {0})


@pytest.mark.parametrize("day", ["", "yesterday", "2026-02-30", "9999-12-31", "0001-01-01", "20260101", "2026-W01-1"])
def test_a_day_that_is_none_is_refused_with_a_sentence(day: str, viewer: Browser) -> None:
    answer = viewer.get(f"/api/mail-ledger?day={day}")

    assert answer.status_code == 422
    assert answer.json() == {"detail": "Say which day as YYYY-MM-DD."}
    assert viewer.get(f"/manage/ledger/mails?day={day}").status_code == 422


def test_a_day_begins_at_midnight_in_the_zone_of_the_pages(viewer: Browser) -> None:
    """In March Amsterdam is an hour ahead: 23:30 UTC is the next day there."""
    mail_id = report()
    with transaction() as db:
        late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
        db.execute(update(MailMessage).where(MailMessage.id == mail_id).values(imported_at=late))

    days = {day: viewer.get(f"/api/mail-ledger?day={day}").json()["fetched"] for day in ("2026-03-02", "2026-03-03")}

    assert days == {"2026-03-02": 0, "2026-03-03": 1}


def test_earlier_days_are_a_step_away(viewer: Browser) -> None:
    mail_id = report()
    with transaction() as db:
        long_ago = clock.now() - timedelta(days=45)
        db.execute(update(MailMessage).where(MailMessage.id == mail_id).values(imported_at=long_ago))
    page = viewer.get("/manage/ledger").text
    assert "Together 0 0" in text_of(page)

    earlier = re.search(r'rel="prev" href="([^"]+)"', page)

    assert earlier
    assert "Together 1 1" in text_of(viewer.get(earlier[1]).text)
    assert 'rel="next"' not in page
    assert 'rel="next"' in viewer.get(earlier[1]).text


def test_an_outcome_without_mails_says_so(viewer: Browser) -> None:
    assert "No mail ended like this" in viewer.get(f"/manage/ledger/mails?day={today()}&outcome=run").text


def test_those_without_the_right_get_no_figures(reporter: Browser, browser: Browser) -> None:
    assert reporter.get(f"/api/mail-ledger?day={today()}").status_code == 403
    assert browser.get(f"/api/mail-ledger?day={today()}").status_code == 401
    assert reporter.get("/manage/ledger").status_code == 403


def test_mails_of_thirty_days_take_as_many_statements_as_one(viewer: Browser) -> None:
    counts = []
    for number in range(30):
        mail_id = rubbish(f"Mail {number}", nights_ago=number)
        with transaction() as db:
            imported = clock.now() - timedelta(days=number)
            db.execute(update(MailMessage).where(MailMessage.id == mail_id).values(imported_at=imported))
        if number in (0, 29):
            with counted_statements() as asked:
                page = viewer.get("/manage/ledger")
            counts.append(len(asked))

    assert counts[0] == counts[1]
    assert "Together 30 30" in text_of(page.text)
