"""Marking as success from Run Checks: exactly what was on screen, with a reason, and what it leads to."""

from sqlalchemy import select

from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.jobs import JobRun
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import Made, a_job, change_verdict, open_runs, text_of

WARNING, FAILED = Status.WARNING, Status.FAILED
SCRIPT = {"HX-Request": "true"}
ASK, DONE = "/run-checks/mark-success", "/run-checks/mark-success/done"


def marked() -> set[int]:
    with transaction() as db:
        return set(db.scalars(select(JobRun.id).where(JobRun.override_id.is_not(None))))


def done(browser: Browser, job: Made, **fields: str) -> str:
    """Mark without script and return the address that follows."""
    answer = browser.post(DONE, data={"runs": job.pairs, "reason": "it was a test", **fields})
    assert answer.status_code == 303
    return answer.headers["location"]


def test_the_panel_offers_it_where_something_is_wrong(operator: Browser) -> None:
    bad, good = a_job(FAILED), a_job(Status.SUCCESS)

    pages = [operator.get(f"/run-checks/jobs/{job.job_id}", headers=SCRIPT).text for job in (bad, good)]

    assert [f'formaction="{ASK}"' in page for page in pages] == [True, False]
    assert f"/overrides/new?run_id={bad.run_id}" in pages[0]


def test_the_list_offers_it_for_the_selected_rows(operator: Browser) -> None:
    a_job(FAILED)

    assert f'form="review" formaction="{ASK}"' in operator.get("/run-checks").text


def test_it_asks_why_and_changes_nothing_yet(operator: Browser) -> None:
    job = a_job(FAILED, WARNING)

    for headers in ({}, SCRIPT):
        page = operator.post(ASK, data={"runs": job.pairs, "back": "/run-checks?q=x"}, headers=headers).text
        assert "Mark 2 runs as success?" in page
        assert "2 runs, 1 failed" in text_of(page)
        assert f'name="runs" value="{job.pairs}"' in page
        assert 'name="back" value="/run-checks?q=x"' in page
        assert ("<html" in page) == (not headers)
    assert open_runs() == set(job.run_ids)


def test_marked_runs_leave_the_list_and_can_be_taken_back(operator: Browser) -> None:
    job = a_job(FAILED, WARNING)

    page = operator.get(done(operator, job)).text

    assert (open_runs(), marked()) == (set(), set(job.run_ids))
    assert "Marked as success. Reviewed 2 runs." in text_of(page)
    undo = page.split('action="/run-checks/undo/', 1)[1].split('"')[0]
    operator.post(f"/run-checks/undo/{undo}")
    assert (open_runs(), marked()) == (set(job.run_ids), set())


def test_one_run_of_several_is_marked_alone(operator: Browser) -> None:
    job = a_job(FAILED, FAILED)

    done(operator, job, only=f"{job.run_id}:1")

    assert (open_runs(), marked()) == ({job.run_ids[0]}, {job.run_id})


def test_a_run_that_changed_since_stays_as_it_is(operator: Browser) -> None:
    job = a_job(WARNING)
    change_verdict(job.run_id, FAILED)

    page = operator.get(done(operator, job)).text

    assert "Nothing was reviewed. 1 run changed since you saw it and stays open." in text_of(page)
    assert (open_runs(), marked()) == ({job.run_id}, set())


def test_without_a_reason_it_asks_again(operator: Browser) -> None:
    job = a_job(WARNING)

    answer = operator.post(DONE, data={"runs": job.pairs, "reason": " ", "further": "true"})

    assert answer.status_code == 422
    assert "Say why these runs count as success." in answer.text
    assert 'name="further" value="true" checked' in answer.text
    assert open_runs() == {job.run_id}


def test_it_leads_to_an_override_for_future_runs_on_request(operator: Browser) -> None:
    job = a_job(FAILED, message="no connection")

    follows = done(operator, job, further="true")

    assert follows == f"/overrides/new?run_id={job.run_id}"
    page = operator.get(follows).text
    assert "New override" in page
    assert marked() == {job.run_id}


def test_nothing_chosen_says_what_to_do(operator: Browser) -> None:
    assert operator.post(ASK, data={}).headers["location"] == "/run-checks"
    assert operator.post(ASK, data={}, headers=SCRIPT).json()["text"] == "Select at least one run first."
    assert operator.post(DONE, data={"reason": "x"}).status_code == 303


def test_only_operators_and_administrators_mark(viewer: Browser, reporter: Browser, admin: Browser) -> None:
    job = a_job(FAILED)
    fields = {"runs": job.pairs, "reason": "a test"}

    assert [each.post(path, data=fields).status_code for each in (viewer, reporter) for path in (ASK, DONE)] == [
        403
    ] * 4
    assert admin.post(DONE, data=fields).status_code == 303
