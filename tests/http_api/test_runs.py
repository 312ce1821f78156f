from datetime import timedelta

import pytest
from sqlalchemy import select, update

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.jobs import VanishedObject
from shared.models.mail import MailObject
from tests.builders import make_job, make_run
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import a_job, a_run, change_verdict, counted_statements, open_runs, text_of

SUCCESS, WARNING, FAILED, UNREADABLE = Status.SUCCESS, Status.WARNING, Status.FAILED, Status.UNREADABLE
SCRIPT = {"HX-Request": "true"}


def status_line(page: str) -> str:
    return text_of(page.split('class="run-status">', 1)[1].split("</p>", 1)[0])


def a_job_that_lost_an_object() -> int:
    """Commit five complete nights with two machines and one without the second; return the last run's id."""
    with transaction() as db:
        job_id = make_job(db)
        first = clock.now() - timedelta(days=6)
        for night in range(5):
            make_run(db, job_id, objects=("FS1", "<b>DC1</b>"), complete=True, run_at=first + timedelta(days=night))
        return make_run(db, job_id, objects=("FS1",), complete=True, run_at=first + timedelta(days=5)).id


def test_a_run_says_how_it_went_since_when_and_when_it_was_last_good(operator: Browser) -> None:
    job = a_job(SUCCESS, FAILED, FAILED, customer="Acme BV", name="Nightly VMs", message="disk full")

    page = operator.get(f"/runs/{job.run_id}").text

    assert "Acme BV › Nightly VMs" in text_of(page)
    assert "· same error as yesterday · last good" in status_line(page)
    assert status_line(page).startswith("Failed")
    assert "disk full" in page


def test_another_error_than_before_is_not_called_the_same(operator: Browser) -> None:
    job = a_job(FAILED, message="disk full")
    other = a_run(job.job_id, FAILED, message="host not found")

    assert "same error" not in operator.get(f"/runs/{other}").text


def test_a_job_without_a_good_run_is_called_never_good(operator: Browser) -> None:
    job = a_job(UNREADABLE, message="the body ends before the verdict")

    page = operator.get(f"/runs/{job.run_id}").text

    assert "the mail came, but its verdict could not be read · never good yet" in status_line(page)
    assert "the body ends before the verdict" in page


def test_problems_are_shown_first_and_the_others_are_counted(operator: Browser) -> None:
    with transaction() as db:
        run_id = make_run(db, status=FAILED, objects=("FS1", "SQL01", "DC1")).id
        db.execute(update(MailObject).where(MailObject.name != "SQL01").values(status=SUCCESS))

    page = operator.get(f"/runs/{run_id}").text

    assert "1 of 3 objects failed" in status_line(page)
    objects = page.partition("<h2>Objects</h2>")[2]
    assert objects.index("SQL01") < objects.index("2 others") < objects.index("FS1")


def test_what_was_good_at_the_last_success_and_is_not_now_is_named(operator: Browser) -> None:
    with transaction() as db:
        job_id = make_job(db)
        make_run(db, job_id, objects=("FS1",), run_at=clock.now() - timedelta(days=1))
        run_id = make_run(db, job_id, status=FAILED, objects=("FS1", "SQL02"), run_at=clock.now()).id

    words = text_of(operator.get(f"/runs/{run_id}").text)

    assert "Good then, not now FS1" in words
    assert "New since then SQL02" in words


def test_the_mail_is_shown_in_a_frame_that_can_do_nothing(operator: Browser) -> None:
    job = a_job(FAILED)

    page = operator.get(f"/runs/{job.run_id}").text

    frame = page[page.index("<iframe") :].partition(">")[0]
    assert 'sandbox=""' in frame
    assert 'loading="lazy"' in frame
    assert "/body" in frame


@pytest.mark.parametrize("role", ["viewer", "reporter"])
def test_who_sees_jobs_sees_runs_but_reviews_none(role: str, request: pytest.FixtureRequest) -> None:
    browser: Browser = request.getfixturevalue(role)
    run_id = a_job_that_lost_an_object()

    page = browser.get(f"/runs/{run_id}")

    assert page.status_code == (200 if role == "viewer" else 403)
    assert "/run-checks/" not in page.text


def test_an_operator_can_review_on_the_page_of_a_run(operator: Browser) -> None:
    job = a_job(FAILED, WARNING)

    page = operator.get(f"/runs/{job.run_id}").text

    assert f'name="runs" value="{job.pairs}"' in page
    assert f'name="only" value="{job.run_id}:1"' in page
    assert 'name="reason" value="Known, being worked on"' in page


def test_no_reason_is_asked_for_where_none_is_needed(operator: Browser) -> None:
    job = a_job(WARNING)

    assert 'name="reason"' not in operator.get(f"/runs/{job.run_id}").text


def test_a_reviewed_run_says_who_when_and_why_and_can_be_undone_by_him(operator: Browser, viewer: Browser) -> None:
    job = a_job(FAILED)
    operator.post("/run-checks/review", data={"runs": job.pairs, "reason": "One-off, no action"})

    mine, theirs = operator.get(f"/runs/{job.run_id}").text, viewer.get(f"/runs/{job.run_id}").text

    assert "Reviewed by the operator" in text_of(mine)
    assert "“One-off, no action”" in mine
    assert "/run-checks/undo/" in mine
    assert "/run-checks/undo/" not in theirs


def test_a_vanished_object_can_be_confirmed_as_removed(operator: Browser) -> None:
    run_id = a_job_that_lost_an_object()
    page = operator.get(f"/runs/{run_id}").text
    assert "1 object no longer in the report · the mail itself said success" in status_line(page)

    answer = operator.post(
        f"/run-checks/runs/{run_id}/removed",
        data={"name": "<b>DC1</b>", "reason": "decommissioned", "back": f"/runs/{run_id}"},
    )

    page = operator.get(answer.headers["location"]).text
    assert status_line(page).startswith("Success")
    assert "removed on purpose, says the operator: “decommissioned”" in text_of(page)
    assert "<b>DC1</b>" not in page


def test_removed_needs_a_reason_and_a_finding_that_is_still_there(operator: Browser) -> None:
    run_id = a_job_that_lost_an_object()
    form = {"name": "<b>DC1</b>", "reason": "gone"}

    answers = [
        operator.post(f"/run-checks/runs/{run_id}/removed", data=data)
        for data in (form | {"reason": " "}, form | {"name": "FS1"}, form, form)
    ]

    assert [answer.status_code for answer in answers] == [422, 404, 303, 404]
    with transaction() as db:
        assert db.scalars(select(VanishedObject.reason)).all() == ["gone"]


def test_a_confirmed_removal_keeps_the_verdict_that_was_on_screen_open(operator: Browser) -> None:
    run_id = a_job_that_lost_an_object()
    operator.post(f"/run-checks/runs/{run_id}/removed", data={"name": "<b>DC1</b>", "reason": "gone"})

    operator.post("/run-checks/review", data={"runs": f"{run_id}:1"})

    assert run_id in open_runs()


def test_the_panel_opens_beside_the_list_with_its_place(operator: Browser) -> None:
    a_job(FAILED, customer="A first")
    job = a_job(FAILED, customer="B second")
    a_job(FAILED, customer="C third")

    page = operator.get(f"/run-checks?panel={job.job_id}").text

    assert "2 of 3" in text_of(page)
    assert 'class="run-checks has-panel"' in page
    assert f'name="back" value="/run-checks?panel={job.job_id}"' in page


def test_a_panel_is_a_part_for_a_script_and_a_page_for_a_link(operator: Browser) -> None:
    job = a_job(FAILED)

    part = operator.get(f"/run-checks/jobs/{job.job_id}?status=failed", headers=SCRIPT)
    link = operator.get(f"/run-checks/jobs/{job.job_id}?status=failed")

    assert part.status_code == 200
    assert "<html" not in part.text
    assert link.headers["location"] == f"/run-checks?status=failed&panel={job.job_id}"


def test_a_panel_shows_the_newest_run_that_waits_or_the_one_that_is_asked_for(operator: Browser) -> None:
    job = a_job(FAILED, WARNING, SUCCESS)
    operator.post("/run-checks/review", data={"runs": f"{job.run_id}:1"})

    newest, chosen = (
        operator.get(f"/run-checks/jobs/{job.job_id}{query}", headers=SCRIPT).text
        for query in ("", f"?run={job.run_ids[0]}")
    )

    assert status_line(newest).startswith("Warning")
    assert status_line(chosen).startswith("Failed")


def test_a_run_of_another_job_or_of_none_is_not_found(operator: Browser) -> None:
    job, other = a_job(FAILED), a_job(FAILED)

    answers = [
        operator.get(path)
        for path in (
            f"/run-checks?panel={job.job_id}&run={other.run_id}",
            "/run-checks?panel=999",
            "/runs/999",
            f"/runs/{10**30}",
            "/runs/x",
        )
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 422, 422]


def test_a_panel_asks_the_database_as_often_for_fifty_runs_as_for_one(operator: Browser) -> None:
    with transaction() as db:
        job_id = make_job(db)
        make_run(db, job_id, status=FAILED, objects=("A",), run_at=clock.now() - timedelta(days=60))
        make_run(db, job_id, objects=("A",), run_at=clock.now() - timedelta(days=59))
        make_run(db, job_id, status=FAILED, objects=("A",), run_at=clock.now() - timedelta(days=58))
    with counted_statements() as for_few:
        operator.get(f"/run-checks/jobs/{job_id}", headers=SCRIPT)
    with transaction() as db:
        for night in range(50):
            objects = tuple(f"VM{number}" for number in range(50))
            make_run(db, job_id, status=FAILED, objects=objects, run_at=clock.now() - timedelta(days=night))

    with counted_statements() as for_many:
        operator.get(f"/run-checks/jobs/{job_id}", headers=SCRIPT)

    assert len(for_many) == len(for_few)


def test_a_changed_verdict_shows_with_its_new_version(operator: Browser) -> None:
    job = a_job(WARNING)
    change_verdict(job.run_id, FAILED)

    page = operator.get(f"/runs/{job.run_id}").text

    assert f'name="runs" value="{job.run_id}:2"' in page
