"""A night of several mails, and history, on the pages that show runs."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.jobs import Job
from shared.models.system import SystemSettings
from shared.services.mark_history import mark_history
from tests.builders import make_customer, make_job, make_run, make_user
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import a_job, counted_statements, rows, text_of

S, W, F = Status.SUCCESS, Status.WARNING, Status.FAILED


@pytest.fixture
def night() -> datetime:
    return clock.now() - timedelta(hours=6)


def job(name: str = "Nightly") -> int:
    with transaction() as db:
        return make_job(db, name, customer_id=make_customer(db))


def ran(job_id: int, at: datetime, status: Status, objects: dict[str, Status], *, retry: int | None = None) -> int:
    with transaction() as db:
        return make_run(db, job_id, status=status, run_at=at, objects=objects, retry=retry).id


def a_night_that_recovered(night: datetime) -> tuple[int, int]:
    """Return a job and its run: OAK-FS1 failed twice, then a retry helped."""
    job_id = job()
    run_id = ran(job_id, night, F, {"OAK-FS1": F, "OAK-DC1": S})
    ran(job_id, night + timedelta(minutes=20), F, {"OAK-FS1": F}, retry=1)
    ran(job_id, night + timedelta(minutes=40), S, {"OAK-FS1": S}, retry=2)
    return job_id, run_id


def section(page: str, head: str) -> str:
    return text_of(page.split(f"<h2>{head}</h2>", 1)[1].split("</section>", 1)[0])


def test_a_run_shows_its_attempts_and_each_objects_last(operator: Browser, night: datetime) -> None:
    _, run_id = a_night_that_recovered(night)

    page = operator.get(f"/runs/{run_id}").text

    assert [word for word in section(page, "Attempts").split() if word in ("Failed", "Success")] == [
        "Failed",
        "Failed",
        "Success",
    ]
    assert "OAK-FS1 VM success recovered on retry 2" in section(page, "Objects")
    assert "OAK-DC1 VM success recovered" not in section(page, "Objects")
    assert "recovered on retry 2" in text_of(page.split('class="run-message"', 1)[1].split("</p>", 1)[0])


def test_all_objects_of_a_run_stand_on_a_page_that_can_be_searched(operator: Browser, night: datetime) -> None:
    job_id = job()
    run_id = ran(job_id, night, F, {f"OAK-{number:03}": F for number in range(250)})
    ran(job_id, night + timedelta(minutes=20), W, {f"OAK-{number:03}": S for number in range(100)}, retry=1)

    page = operator.get(f"/runs/{run_id}").text
    everything = operator.get(f"/runs/{run_id}/objects")
    found = operator.get(f"/runs/{run_id}/objects?q=oak-007")

    assert f'href="/runs/{run_id}/objects"' in page
    assert "250 objects, 150 not good; of each its last attempt, from 2 mails" in text_of(everything.text)
    assert "1–50 of 250" in text_of(everything.text)
    assert "OAK-007" in found.text
    assert "recovered on retry 1" in found.text
    assert "OAK-008" not in found.text


def test_what_changed_is_told_of_the_last_attempts(operator: Browser, night: datetime) -> None:
    job_id, _ = a_night_that_recovered(night - timedelta(days=1))
    run_id = ran(job_id, night, F, {"OAK-FS1": F, "OAK-DC1": F})
    ran(job_id, night + timedelta(minutes=20), S, {"OAK-DC1": S}, retry=1)

    page = operator.get(f"/runs/{run_id}").text

    assert "Good then, not now OAK-FS1" in text_of(page)
    assert "OAK-DC1" not in text_of(page.split("Good then, not now", 1)[1].split("</dl>", 1)[0])


def test_a_jobs_list_of_runs_has_a_night_once(operator: Browser, night: datetime) -> None:
    job_id, run_id = a_night_that_recovered(night)

    answer = operator.get(f"/jobs/{job_id}")

    (row,) = rows(answer)
    assert "3 mails" in row
    assert "Success" in row
    assert "recovered on retry 2" in row
    assert f'href="/runs/{run_id}"' in answer.text


def test_a_job_is_not_protected_by_a_retry_that_left_something_out(operator: Browser, night: datetime) -> None:
    job_id = job()
    ran(job_id, night, F, {"OAK-FS1": F, "OAK-DC1": F})
    ran(job_id, night + timedelta(minutes=20), S, {"OAK-FS1": S}, retry=1)

    (row,) = rows(operator.get("/not-protected"))

    assert "Failed" in row or "failed" in row
    assert "never" in row.lower()


def test_a_recovered_night_protects(operator: Browser, night: datetime) -> None:
    a_night_that_recovered(night)

    assert rows(operator.get("/not-protected")) == []


def test_history_says_so_and_asks_nobody(operator: Browser) -> None:
    made = a_job(F, S)
    with transaction() as db:
        db.execute(update(SystemSettings).values(go_live_on=clock.now().date() + timedelta(days=2)))
        mark_history(db, None, actor=make_user(db), now=clock.now())

    listed = operator.get(f"/jobs/{made.job_id}")
    page = operator.get(f"/runs/{made.run_id}").text

    assert all("history" in row for row in rows(listed))
    assert "history, from before the go-live date: nobody needs to review it" in text_of(page)
    assert "Mark reviewed" not in page
    assert rows(operator.get("/run-checks")) == []


def test_a_customer_goes_live_by_the_form(operator: Browser) -> None:
    made = a_job(F, F)
    with transaction() as db:
        customer_id = db.get_one(Job, made.job_id).customer_id
    tomorrow = (clock.now() + timedelta(days=1)).date()
    form = {"name": "Oak", "active": "true", "go_live_on": tomorrow.isoformat()}

    saved = operator.post(f"/customers/{customer_id}", data=form)
    shown = operator.get(f"/customers/{customer_id}").text

    assert saved.status_code == 303
    assert f'value="{tomorrow.isoformat()}"' in shown
    assert all("history" in row for row in rows(operator.get(f"/jobs/{made.job_id}")))


def test_a_day_that_is_none_is_told_beside_its_field(operator: Browser) -> None:
    with transaction() as db:
        customer_id = make_customer(db, "Oak")

    refused = operator.post(f"/customers/{customer_id}", data={"name": "Oak", "active": "true", "go_live_on": "soon"})

    assert refused.status_code == 422
    assert "Say which day as YYYY-MM-DD" in refused.text


def test_a_run_of_many_mails_asks_as_much_as_one_of_few(operator: Browser, night: datetime) -> None:
    few, many = (job(name) for name in ("Few", "Many"))
    run_ids = {job_id: ran(job_id, night, F, {"OAK-FS1": F}) for job_id in (few, many)}
    for job_id, mails in ((few, 2), (many, 8)):
        for number in range(1, mails):
            ran(job_id, night + timedelta(minutes=number), F, {"OAK-FS1": F, f"OAK-{number}": S}, retry=number)

    with counted_statements() as of_few:
        operator.get(f"/runs/{run_ids[few]}")
    with counted_statements() as of_many:
        operator.get(f"/runs/{run_ids[many]}")

    assert len(of_many) == len(of_few)
