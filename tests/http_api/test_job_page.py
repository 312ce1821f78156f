import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.audit import AuditEntry
from shared.models.jobs import Job, JobRun
from shared.models.mail import MailMessage
from tests.builders import arrive, make_key
from tests.http_api.client import Browser
from tests.http_api.lists import make_customer, make_job, make_run, rows, text_of
from tests.mails import SENDER, report_mail


def job_row(job_id: int) -> Job | None:
    with transaction() as db:
        return db.get(Job, job_id)


def acts() -> list[str]:
    with transaction() as db:
        return list(db.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_the_page_tells_what_is_known_of_the_job(viewer: Browser) -> None:
    job = make_job("Nightly", make_customer("Oak"), origin="OAK-NAS1")

    page = text_of(viewer.get(f"/jobs/{job}").text)

    assert "Oak › Nightly" in page
    assert "from OAK-NAS1" in page
    assert "No run yet." in page


def test_a_key_that_another_job_shares_is_explained(viewer: Browser) -> None:
    job = make_job("Nightly", make_customer("Oak"))
    with transaction() as db:
        db.execute(text("UPDATE job_keys SET standing = 'contested'"))

    assert "so such mails wait in the Inbox" in text_of(viewer.get(f"/jobs/{job}").text)


def test_a_run_lists_its_reason_and_leads_to_its_own_page(viewer: Browser) -> None:
    job = make_job()
    run = make_run(job, Status.FAILED)
    with transaction() as db:
        db.execute(text("UPDATE job_runs SET message = 'SQL01: disk full', size_bytes = 1500000"))

    page = viewer.get(f"/jobs/{job}")

    assert rows(page)[0].endswith("Failed SQL01: disk full – – – 1.5 MB no")
    assert f'href="/runs/{run}"' in page.text


def test_a_reviewed_run_says_by_whom(operator: Browser) -> None:
    job = make_job()
    make_run(job)
    with transaction() as db:
        db.execute(text("INSERT INTO reviews (reviewed_at, reviewed_by) SELECT now(), id FROM users LIMIT 1"))
        db.execute(
            text(
                "UPDATE job_runs SET reviewed_at = now(), reviewed_by = r.reviewed_by, review_id = r.id FROM reviews r"
            )
        )

    assert rows(operator.get(f"/jobs/{job}"))[0].endswith("the operator")


def test_moving_a_job_offers_customers_by_any_part_of_their_name(operator: Browser) -> None:
    job = make_job("Nightly", make_customer("Oak"))
    make_customer("Elm & Daughters")
    make_customer("Elm, gone", active=False)

    page = text_of(operator.get(f"/jobs/{job}/move?q=daugh").text)

    assert "Elm & Daughters 0 jobs" in page
    assert "gone" not in page


def test_a_moved_job_belongs_to_the_other_customer_until_it_is_undone(operator: Browser) -> None:
    oak, elm = make_customer("Oak"), make_customer("Elm")
    job = make_job("Nightly", oak)

    moved = operator.post(f"/jobs/{job}/move", data={"customer_id": str(elm)})
    page = operator.get(moved.headers["location"]).text

    assert "Elm › Nightly" in text_of(page)
    assert "Moved Nightly to Elm." in text_of(page)
    undo = re.search(r'action="(/jobs/\d+/move-back/\d+)"', page)
    assert undo is not None
    operator.post(undo[1])
    assert getattr(job_row(job), "customer_id", None) == oak
    assert acts()[-2:] == ["job.moved", "job.moved"]


def test_moving_without_a_choice_asks_for_one_and_keeps_the_search(operator: Browser) -> None:
    job = make_job()

    answer = operator.post(f"/jobs/{job}/move", data={"q": "elm"})

    assert answer.status_code == 422
    assert "Choose the customer" in answer.text
    assert 'value="elm"' in answer.text


def test_a_customer_that_vanished_meanwhile_gets_no_job(operator: Browser) -> None:
    oak = make_customer("Oak")
    job = make_job("Nightly", oak)

    answer = operator.post(f"/jobs/{job}/move", data={"customer_id": "4711"})

    assert (answer.status_code, "doesn't exist" in text_of(answer.text)) == (404, True)
    assert getattr(job_row(job), "customer_id", None) == oak


def test_archiving_asks_first_and_takes_the_job_off_the_lists(operator: Browser) -> None:
    job = make_job("Nightly", make_customer("Oak"))

    asked = text_of(operator.get(f"/jobs/{job}/archive").text)
    operator.post(f"/jobs/{job}/archive")

    assert "Its mails make no runs any more" in asked
    assert rows(operator.get("/jobs")) == []
    assert "Archived. Its mails make no runs" in text_of(operator.get(f"/jobs/{job}").text)
    assert acts()[-1] == "job.archived"


def test_archiving_twice_says_that_somebody_was_faster(operator: Browser) -> None:
    job = make_job()
    operator.post(f"/jobs/{job}/archive")

    answer = operator.post(f"/jobs/{job}/archive")

    assert (answer.status_code, "archived already" in text_of(answer.text)) == (409, True)


def test_only_who_can_undo_archiving_is_offered_to(operator: Browser, admin: Browser) -> None:
    for browser, offered in ((operator, False), (admin, True)):
        job = make_job(f"of {offered}")

        page = browser.get(browser.post(f"/jobs/{job}/archive").headers["location"]).text

        assert (">Undo</button>" in page) is offered


def test_an_archived_job_that_still_sends_mails_says_how_many(admin: Browser) -> None:
    job = make_job("Nightly", make_customer("Oak"))
    with transaction() as db:
        make_key(db, job, sender=SENDER)
    admin.post(f"/jobs/{job}/archive")
    with transaction() as db:
        arrive(db, report_mail(), now=clock.now() + timedelta(minutes=1))

    assert "still reporting: 1 mail came in" in text_of(admin.get(f"/jobs/{job}").text)
    assert "1 mail, last" in rows(admin.get("/manage/archived-jobs"))[0]


def test_the_archive_gives_a_job_back(admin: Browser) -> None:
    job = make_job("Nightly", make_customer("Oak"), archived=True)
    assert rows(admin.get("/manage/archived-jobs?q=oak"))[0].startswith("Oak Nightly")

    admin.post(f"/jobs/{job}/unarchive")

    assert rows(admin.get("/jobs"))[0].startswith("Oak Nightly")
    assert "The archive is empty." in admin.get("/manage/archived-jobs").text


def test_a_job_is_deleted_only_when_its_name_is_typed(admin: Browser) -> None:
    job = make_job("Nightly VMs", make_customer("Oak"), archived=True)
    make_run(job)

    wrong = admin.post(f"/jobs/{job}/delete", data={"name": "Nightly"})
    assert (wrong.status_code, 'value="Nightly"' in wrong.text) == (422, True)
    assert job_row(job) is not None

    done = admin.post(f"/jobs/{job}/delete", data={"name": " nightly  vms "})
    assert done.headers["location"] == "/manage/archived-jobs"
    with transaction() as db:
        assert list(db.scalars(select(JobRun.id))) == []
        assert [mail.location.value for mail in db.scalars(select(MailMessage))] == ["deleted"]


def test_a_job_that_is_not_archived_cannot_be_deleted(admin: Browser) -> None:
    job = make_job("Nightly")

    assert admin.get(f"/jobs/{job}/delete").status_code == 409
    assert admin.post(f"/jobs/{job}/delete", data={"name": "Nightly"}).status_code == 409
    assert job_row(job) is not None


def test_nobody_is_offered_what_he_may_not_do(viewer: Browser, operator: Browser) -> None:
    job, archived = make_job("seen"), make_job("archived", archived=True)

    assert not re.search(r"/move|/archive", viewer.get(f"/jobs/{job}").text)
    assert not re.search(r"/unarchive|/delete", operator.get(f"/jobs/{archived}").text)


@pytest.mark.parametrize("path", ["move", "archive", "unarchive", "delete", "move-back/1"])
def test_a_viewer_changes_no_job(viewer: Browser, path: str) -> None:
    assert viewer.post(f"/jobs/{make_job()}/{path}").status_code == 403


def test_a_job_that_is_gone_is_said_so(admin: Browser) -> None:
    for path in ("", "/move", "/archive", "/delete"):
        assert admin.get(f"/jobs/4711{path}").status_code == 404
    assert admin.post("/jobs/4711/archive").status_code == 404
