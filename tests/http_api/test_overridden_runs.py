"""Runs that count as success by an override: blue, among the successes, and never without the verdict itself."""

from datetime import timedelta

from functions.http_api.formats import ui_zone
from shared import clock
from shared.db.session import transaction
from shared.domain.day_state import DayState
from shared.domain.permissions import Role
from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.queries.daily_jobs import day_summary
from shared.queries.day_heat import month_heat
from shared.queries.day_slots import DayFilters
from tests import builders
from tests.builders import make_customer, make_job
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import a_job, open_runs, rows, text_of
from tests.override_builders import DISK, make_override, make_told_run
from tests.slot_builders import make_slot

DISK_FAILED = {"SQL01": (Status.FAILED, DISK)}
BLUE = "status-override"


def an_overridden_run(customer: str = "Blue BV") -> tuple[int, int]:
    """Commit a failed run that an override covers, and return the ids of its job and of the run."""
    now = clock.now()
    with transaction() as db:
        job_id = make_job(db, customer_id=make_customer(db, customer), origin=customer)
        actor = builders.make_user(db, f"maker for {customer}", role=Role.ADMIN)
        make_override(db, actor, job_id=job_id, failed=True, now=now - timedelta(days=2))
        return job_id, make_told_run(db, job_id, DISK_FAILED, run_at=now - timedelta(hours=1)).id


def test_an_overridden_failure_stands_among_the_successes_with_a_blue_badge(operator: Browser) -> None:
    a_job(Status.WARNING, customer="Amber BV")
    an_overridden_run()
    a_job(Status.FAILED, customer="Red BV")

    page = operator.get("/run-checks")

    assert [row.split()[0] for row in rows(page)] == ["Red", "Amber", "Blue"]
    blue = page.text[page.text.index("Blue BV") :]
    assert BLUE in blue
    assert "success by override" in rows(page)[2]


def test_it_is_never_one_of_the_clean_ones(operator: Browser) -> None:
    an_overridden_run()

    assert "ran clean" not in operator.get("/run-checks").text


def test_it_is_found_among_the_successes_and_not_among_the_failures(operator: Browser) -> None:
    an_overridden_run()

    assert len(rows(operator.get("/run-checks?status=success"))) == 1
    assert rows(operator.get("/run-checks?status=failed")) == []


def test_it_waits_for_a_review_that_needs_no_reason(operator: Browser) -> None:
    _, run_id = an_overridden_run()
    assert "data-needs-reason" not in operator.get("/run-checks").text

    answer = operator.post("/run-checks/review", data={"runs": f"{run_id}:1"})

    assert (answer.status_code, open_runs()) == (303, set())


def test_the_panel_says_who_overrides_it_why_and_what_the_verdict_itself_is(operator: Browser) -> None:
    job_id, run_id = an_overridden_run()

    for page in (operator.get(f"/run-checks?panel={job_id}").text, operator.get(f"/runs/{run_id}").text):
        words = text_of(page)
        assert "Known problem: “the disk is on order” maker for Blue BV" in words
        assert "the verdict itself is failed" in words
        assert "never good yet" in words


def test_the_history_of_the_job_shows_both_verdicts(viewer: Browser) -> None:
    job_id, _ = an_overridden_run()

    words = text_of(viewer.get(f"/jobs/{job_id}").text)

    assert "Success by override" in words
    assert "(the verdict itself is failed)" in words


def test_its_job_is_not_protected_all_the_same(viewer: Browser) -> None:
    an_overridden_run()

    assert "Blue BV" in viewer.get("/not-protected").text


def test_the_day_and_the_strip_of_the_job_show_it_in_blue(viewer: Browser) -> None:
    job_id, run_id = an_overridden_run()
    with transaction() as db:
        at = db.get_one(JobRun, run_id).run_at
    local = at.astimezone(ui_zone()).date()

    beside = viewer.get(f"/daily-jobs?day={local}&list=unscheduled").text
    job = viewer.get(f"/jobs/{job_id}").text

    assert "Blue BV" in beside
    assert BLUE in beside[beside.index("Blue BV") :]
    assert "day-override" in job


def test_the_slot_of_a_day_is_overridden_too_and_no_bad_day_of_the_month(viewer: Browser) -> None:
    job_id, run_id = an_overridden_run()
    with transaction() as db:
        at = db.get_one(JobRun, run_id).run_at
        day = at.astimezone(ui_zone()).date()
        make_slot(db, job_id, day, state=SlotState.ARRIVED, run_id=run_id)
        summary = day_summary(db, day, DayFilters())
        heat = {each.day: each.bad for each in month_heat(db, day, ui_zone().key, DayFilters())}

    assert (summary.slots[DayState.OVERRIDE], summary.in_time, heat[day]) == (1, 1, 0)
