"""Ninety days of a job, a cell a day: what was expected, and what came."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from shared import clock
from shared.db.session import transaction
from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.models.schedules import JobSlot
from tests.http_api.client import Browser
from tests.http_api.lists import make_customer, make_job, make_run, text_of

ZONE = ZoneInfo("Europe/Amsterdam")


def today() -> date:
    return clock.now().astimezone(ZONE).date()


def make_slot(job_id: int, state: SlotState, *, days_ago: int, at: int = 12, run: int | None = None) -> datetime:
    """Keep a slot at the hour `at` of that day, answered by `run`."""
    day = today() - timedelta(days=days_ago)
    slot_at = datetime(day.year, day.month, day.day, at, tzinfo=ZONE)
    why = "closed: King's Day" if state is SlotState.SKIPPED else ""
    with transaction() as db:
        db.add(
            JobSlot(
                job_id=job_id,
                slot_at=slot_at,
                day=day,
                early_from=slot_at,
                deadline=slot_at,
                state=state,
                run_id=run,
                why=why,
            )
        )
    return slot_at


def run_on(job_id: int, status: Status, *, days_ago: int, at: int = 12) -> int:
    """Record a run at seven past the hour `at` of that day."""
    run_id = make_run(job_id, status)
    day = today() - timedelta(days=days_ago)
    change(run_id, run_at=datetime(day.year, day.month, day.day, at, 7, tzinfo=ZONE))
    return run_id


def change(run_id: int, **facts: object) -> None:
    with transaction() as db:
        db.execute(update(JobRun).where(JobRun.id == run_id).values(facts))


def cells(browser: Browser, job_id: int) -> list[tuple[str, str]]:
    """Return what the days look like and what their tooltips say, the oldest first."""
    page = browser.get(f"/jobs/{job_id}").text
    return re.findall(r'<span class="day([^"]*)" title="([^"]*)"', page)


def test_there_is_a_cell_for_each_of_ninety_days(viewer: Browser) -> None:
    job = make_job()
    run_on(job, Status.SUCCESS, days_ago=80)
    run_on(job, Status.FAILED, days_ago=95)

    found = cells(viewer, job)

    assert len(found) == 90
    assert [look for look, _ in found if look] == [" day-success"]
    assert found[-1][1] == f"{today():%a %-d %b}: nothing expected"


@pytest.mark.parametrize(
    "state, look, words",
    [
        (SlotState.EXPECTED, " day-expected", "12:00 expected"),
        (SlotState.NOT_JUDGED, " day-not-judged", "12:00 not judged"),
        (SlotState.SKIPPED, " day-skipped", "12:00 closed or paused (closed: King&#39;s Day)"),
    ],
)
def test_a_slot_without_a_run_says_why(viewer: Browser, state: SlotState, look: str, words: str) -> None:
    job = make_job()
    make_slot(job, state, days_ago=2)

    found = cells(viewer, job)[-3]

    assert (found[0], found[1].partition(": ")[2]) == (look, words)


def test_the_day_of_a_slot_shows_the_verdict_of_its_run(viewer: Browser) -> None:
    job = make_job()
    make_slot(job, SlotState.ARRIVED, days_ago=2, run=run_on(job, Status.WARNING, days_ago=2))

    assert cells(viewer, job)[-3][0] == " day-warning"
    assert cells(viewer, job)[-3][1].endswith(": 12:00 warning")


def test_a_run_past_midnight_belongs_to_the_day_of_its_slot(viewer: Browser) -> None:
    job = make_job()
    make_slot(job, SlotState.ARRIVED, days_ago=3, at=23, run=run_on(job, Status.FAILED, days_ago=2, at=0))

    assert [look for look, _ in cells(viewer, job)[-4:]] == [" day-failed", "", "", ""]


def test_what_came_late_is_marked_beside_its_verdict(viewer: Browser) -> None:
    job = make_job()
    make_slot(job, SlotState.LATE, days_ago=2, run=run_on(job, Status.SUCCESS, days_ago=2, at=20))

    look, words = cells(viewer, job)[-3]

    assert look == " day-success day-late"
    assert words.endswith(": 12:00 success, late")


def test_a_missed_run_that_was_answered_after_its_review_counts_once(viewer: Browser) -> None:
    job = make_job()
    missed, late = run_on(job, Status.MISSED, days_ago=2), run_on(job, Status.SUCCESS, days_ago=2, at=20)
    slot_at = make_slot(job, SlotState.LATE, days_ago=2, run=late)
    change(late, late_for_id=missed, slot_at=slot_at, is_late=True)

    assert cells(viewer, job)[-3][1].endswith(": 12:00 success, late")


def test_attempts_show_as_the_run_that_carries_their_verdict(viewer: Browser) -> None:
    job = make_job()
    whole, attempt = run_on(job, Status.WARNING, days_ago=2), run_on(job, Status.FAILED, days_ago=2, at=13)
    change(attempt, attempt_of_id=whole)
    make_slot(job, SlotState.ARRIVED, days_ago=2, run=attempt)

    assert cells(viewer, job)[-3][1].endswith(": 12:00 warning")


def test_a_run_by_hand_shows_beside_the_slot(viewer: Browser) -> None:
    job = make_job()
    make_slot(job, SlotState.ARRIVED, days_ago=2, run=run_on(job, Status.SUCCESS, days_ago=2))
    run_on(job, Status.FAILED, days_ago=2, at=15)

    look, words = cells(viewer, job)[-3]

    assert look == " day-failed"
    assert words.endswith(": 12:00 success, 15:07 failed (an extra run)")


def test_of_many_slots_a_day_it_tells_how_many_went_wrong(viewer: Browser) -> None:
    job = make_job()
    for hour in range(8, 16):
        run = run_on(job, Status.SUCCESS, days_ago=2, at=hour)
        make_slot(job, SlotState.ARRIVED, days_ago=2, at=hour, run=run)
    make_slot(job, SlotState.NOT_JUDGED, days_ago=2, at=17)

    look, words = cells(viewer, job)[-3]

    assert look == " day-not-judged"
    assert words.endswith(": 1 not judged, 8 success")


def test_days_are_those_of_the_customer(viewer: Browser) -> None:
    job = make_job("Nightly", make_customer("Oak", time_zone="Pacific/Kiritimati"))
    run_on(job, Status.FAILED, days_ago=2, at=13)  # 01:07 or 02:07 of the next day there

    assert [look for look, _ in cells(viewer, job) if look] == [" day-failed"]
    assert re.search(r": 0[12]:07 failed", next(words for look, words in cells(viewer, job) if look))


def test_the_strip_can_be_read_without_seeing_it(viewer: Browser) -> None:
    job = make_job()
    run_on(job, Status.FAILED, days_ago=2)

    page = viewer.get(f"/jobs/{job}").text

    assert 'role="img" aria-label="Worst result of each day: 1 day failed, 89 days nothing expected"' in page
    assert f"{today() - timedelta(days=2):%a %-d %b} Failed 12:07 failed" in text_of(page)
