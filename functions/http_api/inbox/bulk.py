"""What is done to many rows of the inbox at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api.deps import CurrentUser, Db
from functions.http_api.formats import plural
from functions.http_api.inbox.asked import Asked, Words, Worker
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.queries.inbox import mails_of, waiting_rows
from shared.services.approve_readings import BulkApproved, UnknownCustomer, approve_readings, customer_called
from shared.services.dismiss_mail import dismiss_mails, reparse_mails
from shared.services.errors import BadInput, Conflict

router = APIRouter()

InboxAddress = Annotated[Asked, Depends()]
NOTHING_CHOSEN = "Nothing was selected."


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """The rows that were ticked, and what the bar over them asks."""

    reading: Annotated[list[int], Form(default_factory=list)]
    customer: Annotated[Words, Form()] = ""
    create: Annotated[bool, Form()] = False
    reason: Annotated[Words, Form(max_length=300)] = ""
    confirmed: Annotated[bool, Form()] = False


Rows = Annotated[Sent, Depends()]


@router.post("/approve")
def approve(request: Request, db: Db, user: Worker, asked: InboxAddress, sent: Rows) -> Response:
    if not sent.reading:
        return redirect(request, asked.list_path, toast=NOTHING_CHOSEN)
    try:
        owner = customer_called(db, sent.customer, create=sent.create, actor=user.actor, now=clock.now())
    except (BadInput, Conflict) as problem:
        return _ask_for_customer(request, db, asked, sent, problem)
    done = approve_readings(db, sent.reading, owner, actor=user.actor, now=clock.now())
    return redirect(request, asked.list_path, toast=_said_of(done, owner.name))


@router.post("/delete")
def delete(request: Request, db: Db, user: Worker, asked: InboxAddress, sent: Rows) -> Response:
    if not sent.reading:
        return redirect(request, asked.list_path, toast=NOTHING_CHOSEN)
    if not sent.confirmed:
        return page(request, "inbox/delete.html", asked=asked, rows=waiting_rows(db, sent.reading))
    mail_ids = mails_of(db, sent.reading)
    count = dismiss_mails(db, mail_ids, actor=user.actor, reason=sent.reason.strip(), now=clock.now())
    return redirect(
        request,
        asked.list_path,
        toast=f"{plural(count, 'mail')} deleted.",
        undo=undo_of(user, mail_ids, asked.list_path),
    )


@router.post("/reparse")
def reparse(request: Request, db: Db, user: Worker, asked: InboxAddress, sent: Rows) -> Response:
    if not sent.reading:
        return redirect(request, asked.list_path, toast=NOTHING_CHOSEN)
    mail_ids = mails_of(db, sent.reading)
    left = reparse_mails(db, mail_ids)
    return redirect(request, asked.list_path, toast=read_again(len(mail_ids), left))


def read_again(mails: int, left: int) -> str:
    return f"{plural(mails, 'mail')} read again; {left or 'none'} left the Inbox."


def undo_of(user: CurrentUser, mail_ids: Sequence[int], back: str) -> str:
    """Return the path that brings deleted mails back, for those who may."""
    if not user.may(Right.SEE_DELETED_MAILS):
        return ""
    return f"/manage/deleted-mails/restore?{urlencode({'mail': list(mail_ids), 'back': back}, doseq=True)}"


def _ask_for_customer(request: Request, db: Db, asked: Asked, sent: Sent, problem: BadInput | Conflict) -> HTMLResponse:
    unknown = problem.name if isinstance(problem, UnknownCustomer) else ""
    return page(
        request,
        "inbox/approve_many.html",
        status=409 if isinstance(problem, Conflict) else 422,
        asked=asked,
        rows=waiting_rows(db, sent.reading),
        typed=sent.customer,
        unknown=unknown,
        error=str(problem),
    )


def _said_of(done: BulkApproved, customer: str) -> str:
    said = f"{plural(done.runs, 'mail')} of {plural(len(done.jobs), 'job')} approved for {customer}."
    if not done.refused:
        return said
    first = max(done.refused, key=done.refused.count)
    waits = f"{plural(len(done.refused), 'row')} still {'waits' if len(done.refused) == 1 else 'wait'}"
    return f"{said if done.runs else ''} {waits}: {first}".strip()
