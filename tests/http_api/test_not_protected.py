import re

import pytest
from sqlalchemy import text

from shared.db.session import transaction
from shared.domain.reading import Kind
from shared.domain.status import Status
from tests.http_api.client import Browser
from tests.http_api.lists import make_customer, make_job, make_run, rows, text_of

NOT_GOOD = [Status.WARNING, Status.FAILED, Status.UNREADABLE]


def shown(browser: Browser) -> list[str]:
    return re.findall(r"data-open>([^<]+)</a></td>", browser.get("/not-protected").text)


@pytest.mark.parametrize("status", NOT_GOOD)
def test_a_job_whose_latest_result_is_not_good_is_listed(viewer: Browser, status: Status) -> None:
    job = make_job("Nightly", make_customer("Oak"))
    make_run(job, Status.SUCCESS, days_ago=2)
    make_run(job, status)

    assert shown(viewer) == ["Nightly"]


def test_a_good_run_takes_a_job_off_the_list(viewer: Browser) -> None:
    job = make_job()
    make_run(job, Status.FAILED, days_ago=1)
    make_run(job, Status.SUCCESS)

    page = text_of(viewer.get("/not-protected").text)

    assert "Every job's last run was good. 1 job has a result." in page


def test_an_informational_mail_does_not_hide_the_failure_before_it(viewer: Browser) -> None:
    job = make_job("Nightly")
    make_run(job, Status.FAILED, days_ago=1)
    make_run(job, Status.INFORMATIONAL)

    assert shown(viewer) == ["Nightly"]
    assert "Failed" in viewer.get("/not-protected").text


def test_a_review_changes_nothing(operator: Browser) -> None:
    make_run(make_job("Nightly"), Status.FAILED)
    with transaction() as db:
        db.execute(text("INSERT INTO reviews (reviewed_at, reviewed_by) SELECT now(), id FROM users LIMIT 1"))
        db.execute(
            text(
                "UPDATE job_runs SET reviewed_at = now(), reviewed_by = r.reviewed_by, review_id = r.id FROM reviews r"
            )
        )

    assert shown(operator) == ["Nightly"]


def test_the_longest_without_a_good_run_comes_first(viewer: Browser) -> None:
    oak = make_customer("Oak")
    for name, good in (("a recent", 2), ("b never", None), ("c long", 30)):
        job = make_job(name, oak)
        if good:
            make_run(job, days_ago=good)
        make_run(job, Status.FAILED)

    assert shown(viewer) == ["b never", "c long", "a recent"]
    assert "30 days" in rows(viewer.get("/not-protected"))[1]


def test_jobs_that_protect_nothing_now_are_left_out(viewer: Browser) -> None:
    make_run(make_job("archived", archived=True), Status.FAILED)
    make_run(make_job("inactive", make_customer("Ash", active=False)), Status.FAILED)
    make_run(make_job("updates", kind=Kind.INFORMATIONAL), Status.WARNING)

    assert shown(viewer) == []


def test_without_any_result_nothing_is_called_good(viewer: Browser) -> None:
    make_job("Nightly")

    page = text_of(viewer.get("/not-protected").text)

    assert "No job has a result yet." in page
    assert "was good" not in page
    assert "Not counted: 1 job without any result yet." in page
