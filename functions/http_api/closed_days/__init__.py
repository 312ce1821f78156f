"""The closed days of a customer and of single jobs: the list, a day or a range to add, and public holidays."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.addresses import RowId
from functions.http_api.closed_days import holidays
from functions.http_api.closed_days.asked import Typed, path_of, the_customer, the_job, today_of
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import plural
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.queries.closed_days import Closable, closable_jobs, closed_ranges
from shared.services.closed_days import BACK, LONGEST_NAME, close_range, open_again
from shared.services.errors import BadInput

router = APIRouter(include_in_schema=False)
router.include_router(holidays.router)

SeesCustomers = Annotated[CurrentUser, require(Right.SEE_CUSTOMERS)]
EditsCustomers = Annotated[CurrentUser, require(Right.EDIT_CUSTOMERS)]
SeesJobs = Annotated[CurrentUser, require(Right.SEE_JOBS)]
EditsJobs = Annotated[CurrentUser, require(Right.EDIT_JOBS)]
Sent = Annotated[Typed, Depends()]
Ids = Annotated[list[int], Form(alias="id", default_factory=list)]


@router.get("/customers/{customer_id}/closed-days")
def of_customer(request: Request, db: Db, user: SeesCustomers, customer_id: RowId) -> HTMLResponse:
    return _page(request, db, the_customer(db, customer_id), edits=user.may(Right.EDIT_CUSTOMERS))


@router.post("/customers/{customer_id}/closed-days")
def add_to_customer(request: Request, db: Db, user: EditsCustomers, customer_id: RowId, typed: Sent) -> Response:
    return _add(request, db, user, the_customer(db, customer_id), typed)


@router.post("/customers/{customer_id}/closed-days/remove")
def remove_from_customer(request: Request, db: Db, user: EditsCustomers, customer_id: RowId, ids: Ids) -> Response:
    return _remove(request, db, user, the_customer(db, customer_id), ids)


@router.get("/jobs/{job_id}/closed-days")
def of_job(request: Request, db: Db, user: SeesJobs, job_id: RowId) -> HTMLResponse:
    return _page(request, db, the_job(db, job_id), edits=user.may(Right.EDIT_JOBS))


@router.post("/jobs/{job_id}/closed-days")
def add_to_job(request: Request, db: Db, user: EditsJobs, job_id: RowId, typed: Sent) -> Response:
    return _add(request, db, user, the_job(db, job_id), typed)


@router.post("/jobs/{job_id}/closed-days/remove")
def remove_from_job(request: Request, db: Db, user: EditsJobs, job_id: RowId, ids: Ids) -> Response:
    return _remove(request, db, user, the_job(db, job_id), ids)


def _add(request: Request, db: Db, user: CurrentUser, owner: Closable, typed: Typed) -> Response:
    try:
        whose = typed.of(owner)
        closed = close_range(
            db, whose, first=typed.first, last=typed.last, name=typed.name, actor=user.actor, now=clock.now()
        )
    except BadInput as problem:
        return _page(request, db, owner, edits=True, typed=typed, problem=problem)
    toast = f"Closed {plural(closed, 'day')}." if closed else "These days were closed already."
    return redirect(request, path_of(owner), toast=toast)


def _remove(request: Request, db: Db, user: CurrentUser, owner: Closable, ids: list[int]) -> Response:
    gone = open_again(db, owner.customer_id, ids, job_id=owner.job_id, actor=user.actor, now=clock.now())
    toast = "Runs are expected again." if gone else "These days were open already."
    return redirect(request, path_of(owner), toast=toast)


def _page(
    request: Request,
    db: Db,
    owner: Closable,
    *,
    edits: bool,
    typed: Typed | None = None,
    problem: BadInput | None = None,
) -> HTMLResponse:
    today = today_of(owner)
    return page(
        request,
        "closed_days/list.html",
        status=422 if problem else 200,
        owner=owner,
        here=path_of(owner),
        ranges=closed_ranges(db, owner, since=today - BACK),
        jobs=closable_jobs(db, owner.customer_id) if owner.job_id is None and edits else [],
        today=today,
        edits=edits,
        typed=typed or Typed(job=[], day=[]),
        errors={problem.field or "first": str(problem)} if problem else {},
        longest_name=LONGEST_NAME,
    )
