"""Jobs with schedules, for the tests of the pages that show and correct them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from httpx import Response
from sqlalchemy import select

from shared import clock
from shared.db.session import transaction
from shared.domain.schedule import Cycle, Lane, Schedule
from shared.domain.schedule_json import schedule_to_json
from shared.models.audit import AuditEntry
from shared.models.schedules import JobSchedule, JobSlot
from shared.services.keep_slots import keep_slots
from shared.services.learn_schedules import learn_schedules
from tests import builders
from tests.http_api.client import Browser
from tests.http_api.lists import make_job, text_of

ZONE = ZoneInfo("Europe/Amsterdam")
ALL_DAYS = tuple(range(7))


def a_daily_job(*, silent: Sequence[int] = (), nights: int = 30, **facts: Any) -> int:
    """Return a job that ran at ten in each of these nights but `silent` ones (0 is yesterday's), and was learned."""
    job_id = make_job(**facts)
    with transaction() as db:
        for days_ago in range(nights):
            if days_ago not in silent:
                builders.make_run(db, job_id, run_at=night(days_ago))
        now = clock.now()
        learn_schedules(db, [job_id], now=now)
        keep_slots(db, [job_id], now=now)
    return job_id


def night(days_ago: int) -> datetime:
    """Return ten in the evening of yesterday, or so many days before."""
    day = clock.now().astimezone(ZONE).date() - timedelta(days=days_ago + 1)
    return datetime.combine(day, time(22, 0), ZONE).astimezone(UTC)


def change(job_id: int, **facts: Any) -> None:
    with transaction() as db:
        known = db.get_one(JobSchedule, job_id)
        for name, value in facts.items():
            setattr(known, name, value)


def propose(job_id: int, weekdays: Sequence[int]) -> None:
    """Let the learner propose that it runs at ten on these weekdays."""
    lane = Lane(rule=Cycle(1, frozenset(weekdays)), minute=1320, grace=60)
    change(job_id, proposal=schedule_to_json(Schedule(lanes=(lane,), confidence=0.9)))


def schedule_of(job_id: int) -> JobSchedule:
    with transaction() as db:
        return db.get_one(JobSchedule, job_id)


def times_to_come(job_id: int) -> set[str]:
    """Return at what times slots are kept after tomorrow, on the customer's clock."""
    later = clock.now() + timedelta(days=2)
    with transaction() as db:
        found = db.scalars(select(JobSlot.slot_at).where(JobSlot.job_id == job_id, JobSlot.slot_at > later))
        return {f"{each.astimezone(ZONE):%H:%M}" for each in found}


def hidden(answer: Response) -> dict[str, list[str]]:
    """Return what the page's form carries along, but for the proof where it comes from."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.text):
        found.setdefault(name, []).append(unescape(value))
    return {name: values for name, values in found.items() if name != "csrf_token"}


def save(browser: Browser, preview: Response) -> Response:
    """Press the button of a preview."""
    assert preview.status_code in (200, 409), text_of(preview.text)
    path = re.search(r'action="(/jobs/\d+/schedule/[^"]+)" class="form-actions"', preview.text)
    assert path is not None
    return browser.post(path[1], data=hidden(preview))


def said(answer: Response) -> str:
    return text_of(answer.text)


def acts() -> list[str]:
    with transaction() as db:
        about_jobs = select(AuditEntry.action).where(AuditEntry.subject_type == "job")
        return list(db.scalars(about_jobs.order_by(AuditEntry.id)))
