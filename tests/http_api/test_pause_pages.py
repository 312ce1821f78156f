"""A job is paused on a page that shows what is skipped; its card says what is expected, and when nothing is."""

import re
from datetime import timedelta

import pytest

from shared import clock
from shared.db.session import transaction
from shared.domain.watch_version import watch_version
from shared.models.schedules import ClosedDay
from tests.http_api.client import Browser
from tests.http_api.lists import make_customer
from tests.http_api.schedule_world import ZONE, a_daily_job, acts, change, said, save, schedule_of


def test_a_pause_shows_what_it_skips_and_ends_on_its_day(operator: Browser) -> None:
    job = a_daily_job()
    today = clock.now().astimezone(ZONE).date()
    asked = {"resumes_on": (today + timedelta(days=4)).isoformat(), "reason": "the server <moves>"}

    preview = operator.post(f"/jobs/{job}/schedule/pause/preview", data=asked)
    saved = save(operator, preview)
    page = operator.get(saved.headers["location"])

    assert re.search(r"[34] slots will be skipped", said(preview))
    assert "Paused by the operator until" in said(page)
    assert "the server <moves>" in said(page)
    assert "paused: the server <moves>" in said(page)
    operator.post(f"/jobs/{job}/schedule/resume")
    assert "Paused by" not in said(operator.get(f"/jobs/{job}"))
    assert acts() == ["job.paused", "job.resumed"]


@pytest.mark.parametrize(
    "days, reason, words", [(0, "x", "from tomorrow"), (31, "x", "from tomorrow"), (3, " ", "Say why")]
)
@pytest.mark.parametrize("step", ["preview", "save"])
def test_a_pause_without_an_end_or_a_reason_is_refused_and_stays(
    operator: Browser, days: int, reason: str, words: str, step: str
) -> None:
    job = a_daily_job(nights=5)
    day = (clock.now().astimezone(ZONE).date() + timedelta(days=days)).isoformat()
    typed = {"resumes_on": day, "reason": reason, "version": watch_version(schedule_of(job))}

    answer = operator.post(f"/jobs/{job}/schedule/pause/{step}", data=typed)

    assert answer.status_code == 422
    assert words in said(answer)
    assert f'value="{day}"' in answer.text


def test_a_closed_day_shows_beside_the_next_slots(viewer: Browser) -> None:
    job = a_daily_job()
    with transaction() as db:
        day = clock.now().astimezone(ZONE).date() + timedelta(days=4)
        db.add(ClosedDay(job_id=job, day=day, name="Founders' Day"))

    assert f"{day:%a %-d %b} 22:00 closed: Founders' Day" in said(viewer.get(f"/jobs/{job}"))


def test_a_job_that_stopped_says_so(viewer: Browser) -> None:
    job = a_daily_job()
    change(job, stopped_at=clock.now())

    assert "Stopped: silent for so long" in said(viewer.get(f"/jobs/{job}"))


def test_times_are_the_customers(viewer: Browser) -> None:
    job = a_daily_job(customer=make_customer("Oak", time_zone="Europe/London"))

    page = said(viewer.get(f"/jobs/{job}"))

    assert "daily at 21:00 (Europe/London)" in page
    assert re.search(r"Next \w+ \d+ \w+ 21:00", page)
