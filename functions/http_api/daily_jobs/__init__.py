"""Daily Jobs: which runs a day was to bring and what came, and the month around it."""

from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from functions.http_api.daily_jobs.asked import Asked, Listed, Places
from functions.http_api.daily_jobs.month import in_words, weeks
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import ui_zone
from functions.http_api.rendering import page
from shared import clock
from shared.domain.permissions import Right
from shared.queries.customers import customer_choices
from shared.queries.daily_jobs import DailyRow, DaySummary, daily_jobs, day_summary
from shared.queries.day_heat import month_heat
from shared.queries.jobs import softwares
from shared.queries.rows import Page
from shared.queries.skipped_slots import skipped_lately, skipped_on
from shared.queries.unscheduled_runs import UnscheduledCounts, UnscheduledRow, unscheduled_counts, unscheduled_runs

router = APIRouter(prefix="/daily-jobs", include_in_schema=False)


@router.get("")
def daily_jobs_page(
    request: Request,
    db: Db,
    user: Annotated[CurrentUser, require(Right.SEE_DAILY_JOBS)],
    asked: Annotated[Asked, Depends()],
) -> HTMLResponse:
    now, zone = clock.now(), ui_zone()
    today = now.astimezone(zone).date()
    day, filters = asked.on(today), asked.filters
    beside = unscheduled_counts(db, day, zone.key, filters)
    summary, found = _listed(db, asked, day, beside)
    return page(
        request,
        "daily_jobs/daily.html",
        asked=asked,
        day=day,
        today=today,
        one_day=timedelta(days=1),
        about=datetime.combine(day, time(12), zone),
        places=Places(asked=asked, day=day, today=today),
        summary=summary,
        beside=beside,
        found=found,
        lists={listed.value: listed for listed in Listed},
        in_words=in_words,
        weeks=weeks(month_heat(db, day, zone.key, filters)),
        skipped=skipped_on(db, day, *filters.jobs()),
        lately=skipped_lately(db, now=now) if day == today else {},
        customers=customer_choices(db),
        softwares=[(name, name) for name in softwares(db)],
    )


def _listed(
    db: Db, asked: Asked, day: date, beside: UnscheduledCounts
) -> tuple[DaySummary, Page[DailyRow] | Page[UnscheduledRow]]:
    """Return the figures of the day, and the rows of the list that is asked for."""
    filters, zone = asked.filters, ui_zone().key
    if asked.listed is Listed.EXPECTED:
        sort, descending = asked.sort.removeprefix("-"), asked.sort.startswith("-")
        found = daily_jobs(db, day, filters, asked.page, sort=sort, descending=descending)
        return found.summary, found.page
    has_schedule = asked.listed is Listed.UNEXPECTED
    total = beside.unexpected if has_schedule else beside.without_schedule
    rows = unscheduled_runs(db, day, zone, filters, asked.page, has_schedule=has_schedule, total=total)
    return day_summary(db, day, filters), rows
