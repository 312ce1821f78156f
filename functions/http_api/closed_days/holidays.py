"""A country's public holidays as a proposal: ticked, and only then closed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.addresses import RowId
from functions.http_api.closed_days.asked import Typed, path_of, the_customer, today_of
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import plural
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.domain.public_holidays import countries, subdivisions
from shared.queries.closed_days import Closable, closable_jobs, closed_ranges
from shared.services.closed_days import BACK, YEARS_AHEAD, close_holidays, propose_holidays
from shared.services.errors import BadInput

SUGGESTED = "NL"
router = APIRouter(prefix="/customers/{customer_id}/closed-days/holidays")
Editor = Annotated[CurrentUser, require(Right.EDIT_CUSTOMERS)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What is asked for, and the days that it proposes."""

    country: str
    subdivision: str
    year: str
    days: Mapping[date, str]
    errors: Mapping[str, str]


@router.get("")
def holidays(
    request: Request,
    db: Db,
    user: Editor,
    customer_id: RowId,
    country: str = "",
    subdivision: str = "",
    year: str = "",
) -> HTMLResponse:
    owner = the_customer(db, customer_id)
    chosen = country or owner.country or SUGGESTED
    proposal = _proposal(owner, chosen, subdivision, year or str(today_of(owner).year))
    return _page(request, db, owner, proposal)


@router.post("")
def close(request: Request, db: Db, user: Editor, customer_id: RowId, typed: Annotated[Typed, Depends()]) -> Response:
    owner = the_customer(db, customer_id)
    asked = {"country": typed.country, "subdivision": typed.subdivision, "year": typed.year}
    try:
        whose = typed.of(owner)
        closed = close_holidays(db, whose, **asked, ticked=typed.day, actor=user.actor, now=clock.now())
    except BadInput as problem:
        proposal = _proposal(owner, typed.country, typed.subdivision, typed.year)
        return _page(request, db, owner, proposal, typed=typed, problem=problem)
    toast = f"Closed {plural(closed, 'day')}." if closed else "These days were closed already."
    return redirect(request, path_of(owner), toast=toast)


def _proposal(owner: Closable, country: str, subdivision: str, year: str) -> Proposal:
    """Return the days that are asked for; a part of another country that was chosen before is forgotten."""
    known = country in countries()
    part = subdivision if known and subdivision in dict(subdivisions(country)) else ""
    try:
        days = propose_holidays(country, part, year, today=today_of(owner))
    except BadInput as problem:
        return Proposal(
            country=country, subdivision=part, year=year, days={}, errors={problem.field or "country": str(problem)}
        )
    return Proposal(country=country, subdivision=part, year=year, days=days, errors={})


def _page(
    request: Request,
    db: Db,
    owner: Closable,
    proposal: Proposal,
    *,
    typed: Typed | None = None,
    problem: BadInput | None = None,
) -> HTMLResponse:
    today = today_of(owner)
    errors = {**proposal.errors, **({problem.field or "day": str(problem)} if problem else {})}
    closed = [each for each in closed_ranges(db, owner, since=today - BACK) if not each.jobs]
    is_closed = {day for day in proposal.days if any(each.first <= day <= each.last for each in closed)}
    open_days = [day.isoformat() for day in proposal.days if day not in is_closed]
    return page(
        request,
        "closed_days/holidays.html",
        status=422 if errors else 200,
        owner=owner,
        here=path_of(owner),
        proposal=proposal,
        countries=list(countries().items()),
        subdivisions=subdivisions(proposal.country) if proposal.country in countries() else [],
        years=[today.year + number for number in range(YEARS_AHEAD + 1)],
        jobs=closable_jobs(db, owner.customer_id),
        is_past={day for day in proposal.days if day < today},
        is_closed=is_closed,
        ticked=open_days if typed is None else typed.day,
        typed=typed or Typed(job=[], day=[]),
        errors=errors,
    )
