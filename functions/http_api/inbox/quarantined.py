"""Deliveries that could not be handled as mails: read again, or deleted."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import Field

from functions.http_api.addresses import LARGEST_ID
from functions.http_api.deps import Db
from functions.http_api.formats import plural
from functions.http_api.inbox.asked import Words, Worker
from functions.http_api.inbox.bulk import NOTHING_CHOSEN, undo_of
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.queries.quarantined import quarantined_among
from shared.services.dismiss_mail import dismiss_mails
from shared.services.read_quarantined import read_quarantined

router = APIRouter(prefix="/quarantined")
LIST = "/inbox?view=quarantined"

MailId = Annotated[int, Field(ge=0, le=LARGEST_ID)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """The mails that were ticked, what is said about them, and the page they were ticked on."""

    mail: Annotated[list[MailId], Form(default_factory=list)]
    reason: Annotated[Words, Form(max_length=300)] = ""
    confirmed: Annotated[bool, Form()] = False
    back: Annotated[str, Form()] = LIST


Mails = Annotated[Sent, Depends()]


@router.post("/reparse")
def reparse(request: Request, db: Db, user: Worker, sent: Mails) -> Response:
    if not sent.mail:
        return redirect(request, sent.back, toast=NOTHING_CHOSEN)
    count = read_quarantined(db, sent.mail)
    if len(sent.mail) > 1:
        said = f"{plural(len(sent.mail), 'mail')} read again; {count or 'none'} can be read now."
        return redirect(request, sent.back, toast=said)
    if count:
        return redirect(request, f"/mails/{sent.mail[0]}", toast="Read again: this is what it is now.")
    return redirect(request, sent.back, toast="Read again; it still can't be read as a mail.")


@router.post("/delete")
def delete(request: Request, db: Db, user: Worker, sent: Mails) -> Response:
    if not sent.mail:
        return redirect(request, LIST, toast=NOTHING_CHOSEN)
    if not sent.confirmed:
        return page(request, "inbox/delete_quarantined.html", mails=quarantined_among(db, sent.mail), back=LIST)
    count = dismiss_mails(db, sent.mail, actor=user.actor, reason=sent.reason.strip(), now=clock.now())
    return redirect(request, LIST, toast=f"{plural(count, 'mail')} deleted.", undo=undo_of(user, sent.mail, LIST))
