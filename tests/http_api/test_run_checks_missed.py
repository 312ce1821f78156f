import pytest
from sqlalchemy import update

from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.jobs import JobRun
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import a_job, rows
from tests.http_api.silence_world import ago, make_history, missed_runs, said, stop

pytestmark = pytest.mark.usefixtures("one_moment")

SUCCESS, WARNING, FAILED = Status.SUCCESS, Status.WARNING, Status.FAILED


def the_row(browser: Browser, path: str = "/run-checks") -> str:
    (row,) = rows(browser.get(path))
    return row


def pairs(run_ids: tuple[int, ...]) -> str:
    return ",".join(f"{run_id}:1" for run_id in reversed(run_ids))


def test_missed_slots_that_follow_each_other_are_one_line(operator: Browser) -> None:
    job = a_job(SUCCESS)
    make_history(job.run_ids)
    slots = [ago(minutes=50 - 5 * number) for number in range(9)]
    run_ids = missed_runs(job.job_id, *slots)

    page = operator.get("/run-checks")

    (row,) = rows(page)
    assert f"9 Missed {said(slots[-1])} missed since {said(slots[0])}, 9 slots" in row
    assert f'value="{pairs(run_ids)}"' in page.text


def test_one_missed_slot_says_since_when_there_is_no_report(operator: Browser) -> None:
    job = a_job(SUCCESS)
    make_history(job.run_ids)
    missed_runs(job.job_id, ago(minutes=5))

    assert f"no report since {said(ago(hours=1))}" in the_row(operator)


def test_a_job_that_never_reported_says_which_slot_was_missed(operator: Browser) -> None:
    job = a_job()
    missed_runs(job.job_id, ago(minutes=5))

    assert f"no report came {said(ago(minutes=5))}" in the_row(operator)


def test_a_report_between_two_missed_slots_ends_the_line_though_somebody_reviewed_it(operator: Browser) -> None:
    job = a_job(SUCCESS)
    make_history(job.run_ids)
    missed_runs(job.job_id, ago(hours=3), ago(minutes=30), ago(minutes=20))

    row = the_row(operator)

    assert f"missed since {said(ago(minutes=30))}, 2 slots, 1 earlier slot" in row


def test_a_job_that_came_again_says_so(operator: Browser) -> None:
    job = a_job(SUCCESS)
    missed_runs(job.job_id, ago(hours=3), ago(hours=2))

    row = the_row(operator)

    assert f"missed {said(ago(hours=3))}, 2 slots; came again {said(ago(hours=1))}" in row
    assert "ran clean" not in row


def test_a_failed_run_keeps_its_reason_before_the_silence(operator: Browser) -> None:
    job = a_job(FAILED, message="disk full")
    missed_runs(job.job_id, ago(minutes=20), ago(minutes=10))

    assert f"disk full · missed since {said(ago(minutes=20))}, 2 slots" in the_row(operator)


def test_a_stopped_job_says_since_when_nothing_came(operator: Browser) -> None:
    job = a_job(SUCCESS)
    make_history(job.run_ids)
    missed_runs(job.job_id, *(ago(minutes=number) for number in (30, 20, 10)))
    stop(job.job_id)

    row = the_row(operator)

    assert f"stopped: nothing since {said(ago(hours=1))}" in row


def test_a_late_success_is_marked_and_not_clean(operator: Browser) -> None:
    job = a_job(SUCCESS, SUCCESS)
    with transaction() as db:
        db.execute(update(JobRun).where(JobRun.id == job.run_id).values(is_late=True))

    page = operator.get("/run-checks")

    assert "1 of 2 came late" in rows(page)[0]
    assert rows(page)[0].endswith("came late Reviewed")
    assert "ran clean" not in page.text


def test_a_success_on_a_retry_says_so_and_is_not_clean(operator: Browser) -> None:
    job = a_job(SUCCESS)
    with transaction() as db:
        db.execute(update(JobRun).where(JobRun.id == job.run_id).values(recovered_on=2))

    page = operator.get("/run-checks")

    assert "recovered on retry 2" in rows(page)[0]
    assert "ran clean" not in page.text
