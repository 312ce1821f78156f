"""Reads everything that waits again with today's parsers, a batch a request, so that no request takes long."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api.deps import Db
from functions.http_api.inbox.asked import Worker
from functions.http_api.inbox.bulk import read_again
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared.queries.inbox import waiting_mail_count, waiting_mails
from shared.services.dismiss_mail import reparse_mails

router = APIRouter(prefix="/reparse-all")
BATCH = 100

Number = Annotated[int, Form(ge=0, le=2**63 - 1)]


@router.get("")
def progress(request: Request, db: Db, user: Worker, after: int = 0, done: int = 0, left: int = 0) -> HTMLResponse:
    rest = waiting_mail_count(db, min(max(after, 0), 2**63 - 1))
    return page(request, "inbox/reparse.html", after=after, done=done, left=left, rest=rest)


@router.post("")
def read_batch(
    request: Request, db: Db, user: Worker, after: Number = 0, done: Number = 0, left: Number = 0
) -> Response:
    mail_ids = waiting_mails(db, after, BATCH)
    left += reparse_mails(db, mail_ids)
    done += len(mail_ids)
    if len(mail_ids) == BATCH and waiting_mail_count(db, mail_ids[-1]):
        return redirect(request, f"/inbox/reparse-all?after={mail_ids[-1]}&done={done}&left={left}")
    return redirect(request, "/inbox", toast=read_again(done, left))
