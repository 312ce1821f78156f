import pytest
from sqlalchemy import update

from shared.db.session import transaction
from shared.domain.schedule import Cycle, Lane
from shared.domain.schedule_json import lanes_to_json
from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.models.schedules import JobSchedule
from shared.services.record_run import record_overdue_run
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import a_job, a_run, text_of
from tests.http_api.silence_world import ago, held, missed_runs, said, slots_of, stop

pytestmark = pytest.mark.usefixtures("one_moment")

SUCCESS, WARNING, FAILED = Status.SUCCESS, Status.WARNING, Status.FAILED
DAILY = Lane(rule=Cycle(1, frozenset(range(7))), minute=360, grace=25)


def status_line(page: str) -> str:
    return text_of(page.split('class="run-status">', 1)[1].split("</p>", 1)[0])


def chips(page: str) -> list[str]:
    """Return what stands in the list of runs, newest first; what a chip opens to comes after it."""
    line = page.split('class="run-line"', 1)[1].split("</section>", 1)[0]
    return [text_of(part.split(">", 1)[1]) for part in line.split('class="run-chip')[1:]]


def change(run_id: int, **values: object) -> None:
    with transaction() as db:
        db.execute(update(JobRun).where(JobRun.id == run_id).values(values))


def learned(job_id: int) -> None:
    with transaction() as db:
        db.add(JobSchedule(job_id=job_id, kind="daily", lanes=lanes_to_json([DAILY]), confidence=1.0))


def test_a_run_says_when_it_was_due(operator: Browser) -> None:
    job = a_job(FAILED)
    due = ago(hours=1, minutes=10)
    slots_of(job.job_id, [due], SlotState.ARRIVED, run_id=job.run_id)
    learned(job.job_id)

    page = operator.get(f"/runs/{job.run_id}").text

    assert f"due {said(due)} ± 30 m, daily" in status_line(page)
    assert "late" not in status_line(page)


def test_a_late_run_says_so_with_a_word(operator: Browser) -> None:
    job = a_job(SUCCESS)
    due = ago(hours=9)
    slots_of(job.job_id, [due], SlotState.LATE, run_id=job.run_id)
    change(job.run_id, is_late=True)

    page = operator.get(f"/runs/{job.run_id}").text

    assert f"late, due {said(due)} ± 30 m" in status_line(page)
    assert "Came late" in chips(page)[0]


def test_a_run_that_came_after_the_review_says_what_it_answers_and_who_reviewed_that(operator: Browser) -> None:
    job = a_job(SUCCESS)
    slot = ago(minutes=50)
    (missed,) = missed_runs(job.job_id, slot)
    operator.post("/run-checks/review", data={"runs": f"{missed}:1", "reason": "Known"})
    change(late := a_run(job.job_id, FAILED), is_late=True, late_for_id=missed)

    page = operator.get(f"/runs/{late}").text

    assert f"answers the missed run of {said(slot)}, which was reviewed by the operator" in status_line(page)


def test_missed_runs_that_follow_each_other_are_one_chip_that_opens(operator: Browser) -> None:
    job = a_job(SUCCESS)
    slots = [ago(minutes=50 - 5 * number) for number in range(9)]
    run_ids = missed_runs(job.job_id, *slots)

    newest, third = (operator.get(f"/runs/{run_ids[place]}").text for place in (-1, 2))

    assert f"9 Missed since {said(slots[0])}" in chips(newest)[0]
    assert [f"{said(slot)}" in chip for slot, chip in zip(reversed(slots), chips(newest)[1:10], strict=True)] == [
        True
    ] * 9
    assert f"missed since {said(slots[0])}, 9 slots" in status_line(newest)
    assert '<details class="run-group">' in newest
    assert '<details class="run-group" open>' in third


def test_a_report_between_splits_the_missed_runs(operator: Browser) -> None:
    job = a_job(SUCCESS)
    missed_runs(job.job_id, ago(hours=3), ago(hours=2), ago(minutes=5))

    page = operator.get(f"/runs/{job.run_id}").text

    assert [chip.split()[0] for chip in chips(page)] == ["missed", "success", "2", "missed", "missed"]


def test_a_stopped_job_says_so_in_its_panel(operator: Browser) -> None:
    job = a_job(SUCCESS)
    missed_runs(job.job_id, ago(minutes=10))
    stop(job.job_id)

    page = operator.get(f"/run-checks?panel={job.job_id}").text

    assert f"stopped: nothing since {said(ago(hours=1))}" in status_line(page)


def test_all_missed_runs_of_the_panel_are_reviewed_together(operator: Browser) -> None:
    job = a_job()
    run_ids = missed_runs(job.job_id, ago(minutes=20), ago(minutes=10))

    page = operator.get(f"/run-checks?panel={job.job_id}").text

    assert f'name="runs" value="{run_ids[1]}:1,{run_ids[0]}:1"' in page
    assert "Reviewed · 2 runs…" in text_of(page)


def test_attempts_are_listed_with_what_each_mail_said_and_only_the_whole_is_a_run(operator: Browser) -> None:
    job = a_job(FAILED)
    again = a_run(job.job_id, SUCCESS)
    change(again, attempt_of_id=job.run_id)
    change(job.run_id, status=SUCCESS, raw_status=SUCCESS, recovered_on=1, message="all good now")

    page = operator.get(f"/run-checks?panel={job.job_id}").text

    attempts = text_of(page.split('class="run-attempts"', 1)[1].split("</ol>", 1)[0])
    assert attempts.index("Failed") < attempts.index("Success")
    assert len(chips(page)) == 1
    assert "recovered on retry 1" in status_line(page)
    assert f'name="runs" value="{job.run_id}:1"' in page
    assert status_line(operator.get(f"/runs/{again}").text) == status_line(page)


def test_an_attempt_never_stands_between_a_run_and_the_one_before(operator: Browser) -> None:
    job = a_job(FAILED, FAILED, message="disk full")
    change(a_run(job.job_id, SUCCESS, ago(hours=20)), attempt_of_id=job.run_ids[0])

    line = status_line(operator.get(f"/runs/{job.run_id}").text)

    assert "same error as yesterday" in line
    assert "never good yet" in line


def test_the_panel_shows_the_schedule_in_words_and_why_nothing_is_judged(operator: Browser) -> None:
    job = a_job(SUCCESS)
    learned(job.job_id)
    held(job.job_id, ago(minutes=40))

    words = text_of(operator.get(f"/runs/{job.run_id}").text)

    assert "daily at 06:00 learned" in words
    assert "1 not judged" in words
    assert "Not judged yet: the mails of that time are not in yet." in words
    assert "Last 30 days: " in operator.get(f"/runs/{job.run_id}").text


def test_an_overdue_device_says_for_how_long(operator: Browser) -> None:
    job = a_job()
    with transaction() as db:
        record_overdue_run(db, job.job_id, passed_at=ago(hours=1), days=5, message="no good backup for 5 days")

    listed = text_of(operator.get("/run-checks").text)
    page = operator.get(f"/run-checks?panel={job.job_id}").text

    assert "1 Overdue" in listed
    assert "no good backup for 5 days" in listed
    assert status_line(page).startswith("Overdue")
    assert "No mail came for this run." in page


def test_history_from_before_the_go_live_is_listed_but_not_to_review(operator: Browser) -> None:
    job = a_job(FAILED, WARNING)
    change(job.run_ids[0], is_history=True)

    page = operator.get(f"/run-checks?panel={job.job_id}").text

    assert len(chips(page)) == 2
    assert f'name="runs" value="{job.run_id}:1"' in page
