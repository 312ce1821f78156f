"""Remarks: making one, the page of one, and what people do with it."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.addresses import ListAddress, RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import plural
from functions.http_api.refusals import is_htmx
from functions.http_api.rendering import page
from functions.http_api.tickets import words
from functions.http_api.tickets.groups import chosen_groups
from functions.http_api.tickets.make import (
    Editor,
    OptionalId,
    answered,
    choose_customer,
    meant_by,
    nothing_chosen,
)
from functions.http_api.tickets.meant import PAGE, Meant, MeantHere, TypedHere
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.queries.history import history_of
from shared.queries.remarks import RemarkDetail, remark_detail, runs_of_remark
from shared.queries.ticket_form import CustomerGroup, jobs_of_customer
from shared.services.errors import BadInput, NotFound
from shared.services.remarks import LONGEST, add_remark, edit_remark, reopen_remark, resolve_remark
from shared.services.ticketed_runs import WholeJobs

REMARKS = f"{PAGE}/remarks"
router = APIRouter(prefix="/remarks")
Reader = Annotated[CurrentUser, require(Right.SEE_TICKETS)]
Body = Annotated[str, Form()]


@router.get("/new")
def start(
    request: Request, db: Db, user: Editor, q: str = "", customer_id: OptionalId = None, job: OptionalId = None
) -> HTMLResponse:
    if customer_id is None:
        return choose_customer(request, db, q, what="remark", path=f"{REMARKS}/new")
    meant = meant_by(db, customer_id, job)
    return _form(request, db, replace(meant, back=REMARKS if job is None else meant.back))


@router.post("/new")
def ask(request: Request, db: Db, user: Editor, meant: MeantHere) -> Response:
    """Return the form for the runs that were on screen; for an open page, the form alone."""
    return _form(request, db, meant) if meant.run_ids else nothing_chosen(request, meant)


@router.post("/add")
def add(request: Request, db: Db, user: Editor, meant: MeantHere, typed: TypedHere) -> Response:
    """Make a remark for each customer."""
    groups = chosen_groups(db, meant)
    if not groups:
        return nothing_chosen(request, meant)
    now = clock.now()
    try:
        with db.begin_nested():
            for group in groups:
                add_remark(db, body=typed.body, run_ids=_what(group, meant), actor=user.actor, now=now)
    except BadInput as problem:
        return _form(request, db, meant, body=typed.body, error=str(problem))
    return answered(request, meant, groups, _said(groups))


@router.get("/{remark_id}")
def remark(
    request: Request, db: Db, user: Reader, remark_id: RowId, number: Annotated[int, Query(alias="page")] = 1
) -> HTMLResponse:
    return page(
        request,
        "tickets/remark.html",
        remark=_found(db, remark_id),
        runs=runs_of_remark(db, remark_id, number),
        history=words.history(history_of(db, "remark", remark_id)),
        address=ListAddress(path=f"{REMARKS}/{remark_id}", place="runs"),
        may_edit=user.may(Right.EDIT_TICKETS),
    )


@router.get("/{remark_id}/edit")
def ask_to_edit(request: Request, db: Db, user: Editor, remark_id: RowId) -> HTMLResponse:
    found = _found(db, remark_id)
    return page(request, "tickets/edit_remark.html", remark=found, body=found.row.body, error="", longest=LONGEST)


@router.post("/{remark_id}/edit")
def edit(request: Request, db: Db, user: Editor, remark_id: RowId, body: Body = "") -> Response:
    try:
        edit_remark(db, remark_id, body=body, actor=user.actor, now=clock.now())
    except BadInput as problem:
        context = {"remark": _found(db, remark_id), "body": body, "error": str(problem), "longest": LONGEST}
        return page(request, "tickets/edit_remark.html", status=422, **context)
    return redirect(request, f"{REMARKS}/{remark_id}", toast="Saved.")


@router.post("/{remark_id}/resolve")
def resolve(request: Request, db: Db, user: Editor, remark_id: RowId) -> Response:
    resolve_remark(db, remark_id, actor=user.actor, now=clock.now())
    here = f"{REMARKS}/{remark_id}"
    return redirect(request, here, toast="Resolved. New runs don't get this remark any more.", undo=f"{here}/reopen")


@router.post("/{remark_id}/reopen")
def reopen(request: Request, db: Db, user: Editor, remark_id: RowId) -> Response:
    reopen_remark(db, remark_id, actor=user.actor, now=clock.now())
    return redirect(request, f"{REMARKS}/{remark_id}", toast="Open again, for runs made from now on.")


def _what(group: CustomerGroup, meant: Meant) -> tuple[int, ...] | WholeJobs:
    if meant.customer_id is None:
        return group.run_ids
    return WholeJobs(job_ids=tuple(job.job_id for job in group.jobs), at=clock.now())


def _said(groups: tuple[CustomerGroup, ...]) -> str:
    if len(groups) > 1:
        return f"{plural(len(groups), 'remark')} added, one for each customer."
    runs = len(groups[0].run_ids)
    return f"Remark added to {plural(runs, 'run')}." if runs else "Remark added."


def _found(db: Db, remark_id: int) -> RemarkDetail:
    if (found := remark_detail(db, remark_id)) is None:
        raise NotFound("This remark doesn't exist (any more).")
    return found


def _form(request: Request, db: Db, meant: Meant, *, body: str = "", error: str = "") -> HTMLResponse:
    groups = chosen_groups(db, meant)
    if not groups:
        raise NotFound("These runs don't exist (any more).")
    return page(
        request,
        "tickets/remark_form.html" if is_htmx(request) else "tickets/new_remark.html",
        status=422 if error else 200,
        meant=meant,
        groups=groups,
        jobs=jobs_of_customer(db, meant.customer_id) if meant.customer_id is not None else (),
        body=body,
        error=error,
        longest=LONGEST,
    )
