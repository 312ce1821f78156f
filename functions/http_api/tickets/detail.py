"""The page of a ticket, and what people do with it."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.addresses import ListAddress, RowId
from functions.http_api.autotask import NoAnswer, asking_autotask
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from functions.http_api.tickets import words
from functions.http_api.tickets.make import Editor
from functions.http_api.tickets.meant import LONGEST, PAGE, bounded
from functions.http_api.toasts import redirect
from shared import clock
from shared.clients.queues import open_queues
from shared.domain.permissions import Right
from shared.domain.ticket import TicketSource
from shared.queries.history import history_of
from shared.queries.ticket_detail import TicketDetail, runs_of_ticket, ticket_detail
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.kick_errands import kick_errands
from shared.services.refresh_ticket import Refreshed, refresh_ticket
from shared.services.tickets import edit_ticket, reopen_ticket, resolve_scope, resolve_ticket
from shared.settings import settings

router = APIRouter()
Reader = Annotated[CurrentUser, require(Right.SEE_TICKETS)]
LONGEST_NOTE = 2_000
LOOKED = {
    Refreshed.SEEN: "This is how it stands at Autotask.",
    Refreshed.FRESH: "Somebody looked just now; this is how it stands.",
    Refreshed.ANOTHER: "At Autotask this is not the ticket that it was; it is not followed.",
    Refreshed.HIDDEN: "Autotask does not show it. That does not prove that it is deleted.",
    Refreshed.DELETED: "It is proven deleted at Autotask.",
}


@router.get("/{ticket_id}")
def ticket(
    request: Request, db: Db, user: Reader, ticket_id: RowId, number: Annotated[int, Query(alias="page")] = 1
) -> HTMLResponse:
    return page(
        request,
        "tickets/ticket.html",
        ticket=_found(db, ticket_id),
        runs=runs_of_ticket(db, ticket_id, number),
        history=words.history(history_of(db, "ticket", ticket_id)),
        address=ListAddress(path=f"{PAGE}/{ticket_id}", place="runs"),
        may_edit=user.may(Right.EDIT_TICKETS),
        maintains=user.may(Right.MAINTAIN),
        longest_note=LONGEST_NOTE,
    )


@router.get("/{ticket_id}/edit")
def ask_to_edit(request: Request, db: Db, user: Editor, ticket_id: RowId) -> HTMLResponse:
    found = _found(db, ticket_id)
    return _edit_page(request, found, found.row.code or "", found.description)


@router.post("/{ticket_id}/edit")
def edit(
    request: Request,
    db: Db,
    user: Editor,
    ticket_id: RowId,
    code: Annotated[str | None, Form()] = None,
    description: Annotated[str, Form()] = "",
) -> Response:
    try:
        told = bounded("description", description)
        edit_ticket(db, ticket_id, description=told, code=code, actor=user.actor, now=clock.now())
    except (BadInput, Conflict) as problem:
        return _edit_page(request, _found(db, ticket_id), code or "", description, problem=problem)
    return redirect(request, f"{PAGE}/{ticket_id}", toast="Saved.")


@router.get("/{ticket_id}/resolve")
def ask_to_resolve(request: Request, db: Db, user: Editor, ticket_id: RowId) -> HTMLResponse:
    return page(request, "tickets/resolve.html", ticket=_found(db, ticket_id), longest_note=LONGEST_NOTE)


@router.post("/{ticket_id}/resolve")
def resolve(
    request: Request,
    db: Db,
    user: Editor,
    ticket_id: RowId,
    note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
) -> Response:
    found = _found(db, ticket_id)
    resolve_ticket(db, ticket_id, note=note, actor=user.actor, now=clock.now())
    return _resolved(request, db, found, "Resolved")


@router.post("/{ticket_id}/look")
def look(request: Request, db: Db, user: Editor, ticket_id: RowId) -> Response:
    """Ask Autotask how the ticket stands now."""
    try:
        with asking_autotask(db) as provider:
            found = refresh_ticket(provider, ticket_id, clock=clock.now)
    except NoAnswer as problem:
        return redirect(request, f"{PAGE}/{ticket_id}", toast=str(problem))
    return redirect(request, f"{PAGE}/{ticket_id}", toast=LOOKED[found])


@router.post("/{ticket_id}/reopen")
def reopen(request: Request, db: Db, user: Editor, ticket_id: RowId) -> Response:
    reopen_ticket(db, ticket_id, actor=user.actor, now=clock.now())
    return redirect(request, f"{PAGE}/{ticket_id}", toast="Open again, for runs made from now on.")


@router.post("/{ticket_id}/jobs/{job_id}/resolve")
def resolve_for_job(request: Request, db: Db, user: Editor, ticket_id: RowId, job_id: RowId) -> Response:
    found = _found(db, ticket_id)
    if resolve_scope(db, ticket_id, job_id, actor=user.actor, now=clock.now()):
        return _resolved(request, db, found, "It was the last job, so the ticket is resolved")
    return redirect(request, f"{PAGE}/{ticket_id}", toast="Resolved for this job. Its new runs don't get the ticket.")


def _resolved(request: Request, db: Db, found: TicketDetail, said: str) -> Response:
    """Say that a ticket is over. Reopening it undoes just that only where it was open for all its jobs."""
    here = f"{PAGE}/{found.row.ticket_id}"
    if found.row.source is TicketSource.MANUAL:
        undo = f"{here}/reopen" if found.row.open_jobs == found.row.jobs else ""
        return redirect(request, here, toast=f"{said}. New runs don't get it any more.", undo=undo)
    kick_errands(db, open_queues(settings()))
    return redirect(request, here, toast=f"{said} here, and Autotask is told so.")


def _found(db: Db, ticket_id: int) -> TicketDetail:
    if (found := ticket_detail(db, ticket_id)) is None:
        raise NotFound("This ticket doesn't exist (any more).")
    return found


def _edit_page(
    request: Request, ticket: TicketDetail, code: str, description: str, *, problem: BadInput | Conflict | None = None
) -> HTMLResponse:
    status = 200 if problem is None else 409 if isinstance(problem, Conflict) else 422
    errors = {getattr(problem, "field", None) or "code": str(problem)} if problem else {}
    context = {"ticket": ticket, "code": code, "description": description, "longest": LONGEST["description"]}
    return page(request, "tickets/edit.html", status=status, errors=errors, **context)
