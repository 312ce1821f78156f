"""The mail ledger: what came in each day, and where each reading of it ended. Nothing may be missing."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from functions.http_api import formats
from functions.http_api.addresses import ListAddress
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from shared import clock
from shared.domain.mailflow import Ending
from shared.domain.permissions import Right
from shared.queries.mail_ledger import Days, ledger, ledger_day, ledger_mails
from shared.services.errors import BadInput

DAYS = 30
WHICH_DAY = "Say which day as YYYY-MM-DD."
router = APIRouter()
Reader = Annotated[CurrentUser, require(Right.SEE_INBOX)]


class DayAnswer(BaseModel):
    """One import day: mails fetched, how their readings ended, and how many mails are still being read."""

    day: date
    fetched: int
    being_read: int
    readings: int
    outcomes: dict[Ending, int]


@router.get("/manage/ledger", include_in_schema=False)
def ledger_page(request: Request, db: Db, user: Reader, until: str = "") -> HTMLResponse:
    today = clock.now().astimezone(formats.ui_zone()).date()
    last = min(_day(until), today) if until else today
    days = ledger(db, Days.until(last, DAYS, formats.ui_zone()))
    totals = {ending: sum(day.outcomes[ending] for day in days) for ending in Ending}
    earlier, later = last - timedelta(days=DAYS), last + timedelta(days=DAYS)
    beside = (earlier, later if last < today else None)
    return page(request, "ledger/ledger.html", days=days, endings=list(Ending), totals=totals, beside=beside)


@router.get("/manage/ledger/mails", include_in_schema=False)
def mails_behind(
    request: Request,
    db: Db,
    user: Reader,
    day: str = "",
    outcome: str = "",
    page_number: Annotated[int, Query(alias="page")] = 1,
) -> HTMLResponse:
    when = _day(day)
    ending = Ending(outcome) if outcome in set(Ending) else None
    found = ledger_mails(db, ending, page_number, days=Days(when, when, formats.ui_zone()))
    address = ListAddress(path="/manage/ledger/mails", filters={"day": when, "outcome": ending and ending.value})
    return page(request, "ledger/mails.html", day=when, outcome=ending, found=found, address=address)


@router.get("/api/mail-ledger", tags=["mails"])
def ledger_of_day(db: Db, user: Reader, day: str = "") -> DayAnswer:
    """Return one import day in the zone of the pages: mails fetched, and the outcome of each reading."""
    figures = ledger_day(db, _day(day), formats.ui_zone())
    return DayAnswer(
        day=figures.day,
        fetched=figures.fetched,
        being_read=figures.being_read,
        readings=figures.readings,
        outcomes=dict(figures.outcomes),
    )


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise BadInput(WHICH_DAY) from None
    # Other spellings of a day, and days for which no time zone has rules.
    if found.isoformat() != text or not 1990 <= found.year <= 2200:
        raise BadInput(WHICH_DAY)
    return found
