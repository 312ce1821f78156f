"""The card that says when a job runs, how sure that is, and what became of its slots."""

import pytest

from shared import clock
from shared.clients.queue_memory import MemoryQueues
from shared.db.session import transaction
from shared.domain.mailflow import Source
from shared.domain.reading import Kind
from shared.domain.status import Status
from shared.models.system import ImportCycle
from shared.services.tick_missed_runs import tick_missed_runs
from shared.services.work_off import work_off
from tests.http_api.client import Browser
from tests.http_api.lists import make_job, make_run, text_of


def card(viewer: Browser, job_id: int) -> str:
    page = text_of(viewer.get(f"/jobs/{job_id}").text)
    return page.partition("Schedule Runs")[2].partition("Last 90 days")[0] or page


def looked_after(*, covered: bool = True) -> None:
    now = clock.now()
    if covered:
        with transaction() as db:
            db.add(ImportCycle(source=Source.FOLDER, trigger="timer", started_at=now, finished_at=now, complete=True))
    queues = MemoryQueues()
    tick_missed_runs(queues, clock=lambda: now)
    work_off(queues, clock=lambda: now)


def a_daily_job(*, silent_for: int = 0) -> int:
    job = make_job()
    for days in range(silent_for, 30):
        make_run(job, Status.SUCCESS, days_ago=days + 0.2)
    return job


def test_a_learned_schedule_is_explained(viewer: Browser) -> None:
    job = a_daily_job()
    looked_after()

    said = card(viewer, job)

    assert "daily at" in said
    assert "learned" in said
    assert "60 minutes of grace" in said
    assert "30 runs" in said
    assert "in time" in said


def test_missed_slots_are_counted(viewer: Browser) -> None:
    job = a_daily_job(silent_for=3)
    looked_after()

    assert "3 missed" in card(viewer, job)


def test_while_mails_are_not_read_it_says_that_nothing_is_judged(viewer: Browser) -> None:
    job = a_daily_job(silent_for=3)
    looked_after(covered=False)

    said = card(viewer, job)

    assert "3 not judged" in said
    assert "the mails of that time are not in yet" in said


def test_without_a_schedule_it_says_when_silence_is_reported(viewer: Browser) -> None:
    job = make_job()
    make_run(job, Status.SUCCESS, days_ago=1)
    looked_after()

    said = card(viewer, job)

    assert "Too few runs to tell when." in said
    assert "Reported as missed if nothing comes until" in said


def test_a_job_that_nobody_looked_at_says_so(viewer: Browser) -> None:
    assert "Not looked at yet" in text_of(viewer.get(f"/jobs/{make_job()}").text)


@pytest.mark.parametrize("kind", [Kind.INFORMATIONAL, Kind.ALERT_ONLY])
def test_what_is_no_regular_job_is_not_watched_by_time(viewer: Browser, kind: Kind) -> None:
    assert "Not watched by time" in text_of(viewer.get(f"/jobs/{make_job(kind=kind)}").text)
