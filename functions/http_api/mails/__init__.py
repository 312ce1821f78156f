"""One mail: what was read in it, what became of that, and the mail itself in a frame that can do nothing."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api.addresses import RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.mails import objects
from functions.http_api.mails.file_name import raw_name
from functions.http_api.mails.readable import Reader, readable_mail
from functions.http_api.mails.safe_html import HEADERS, mail_document
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.queries.mail_detail import MailDetail
from shared.queries.stored_mail import mail_body, raw_mail
from shared.services.dismiss_mail import undo_duplicate
from shared.services.errors import NotFound
from shared.services.fetch_eml import fetch_eml

router = APIRouter(prefix="/mails", include_in_schema=False)
router.include_router(objects.router)
InboxWorker = Annotated[CurrentUser, require(Right.WORK_INBOX)]


@router.get("/{mail_id}")
def show_mail(request: Request, db: Db, user: Reader, mail_id: RowId) -> HTMLResponse:
    return mail_page(request, readable_mail(db, user, mail_id), user)


@router.get("/{mail_id}/body")
def show_body(db: Db, user: Reader, mail_id: RowId) -> HTMLResponse:
    body = mail_body(db, mail_id)
    if body is None or (body.deleted and not user.may(Right.SEE_DELETED_MAILS)):
        return HTMLResponse(mail_document(subject="", html="", text="This mail is gone."), 404, headers=HEADERS)
    return HTMLResponse(mail_document(subject=body.subject, html=body.html, text=body.text), headers=HEADERS)


@router.get("/{mail_id}/raw")
def download(db: Db, user: Reader, mail_id: RowId) -> Response:
    raw = raw_mail(db, mail_id)
    if raw is None or (raw.deleted and not user.may(Right.SEE_DELETED_MAILS)):
        raise NotFound("This mail is gone.")
    content = raw.content if raw.content is not None else fetch_eml(mail_id, now=clock.now())
    name = quote(raw_name(raw.subject, mail_id), safe="")
    headers = {"Content-Disposition": f"attachment; filename=\"mail-{mail_id}.eml\"; filename*=UTF-8''{name}"}
    return Response(content, media_type="message/rfc822", headers=headers | {"X-Content-Type-Options": "nosniff"})


@router.post("/{mail_id}/not-a-duplicate")
def no_duplicate(request: Request, db: Db, user: InboxWorker, mail_id: RowId) -> Response:
    undo_duplicate(db, mail_id, actor=user.actor, now=clock.now())
    return redirect(request, f"/mails/{mail_id}", toast="It counts as a mail of its own now.")


def mail_page(
    request: Request, mail: MailDetail, user: CurrentUser, *, refusal: str = "", status: int = 200
) -> HTMLResponse:
    """Return the page of a mail without the forms of the Inbox; `refusal` says why something was not done."""
    return page(
        request,
        "mails/detail.html",
        status=status,
        mail=mail,
        refusal=refusal,
        works_inbox=user.may(Right.WORK_INBOX),
        sees_deleted=user.may(Right.SEE_DELETED_MAILS),
    )
