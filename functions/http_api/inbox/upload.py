"""Mail files that a person sends, and what became of each."""

from typing import Annotated

from fastapi import APIRouter, File, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse

from functions.http_api.deps import Db
from functions.http_api.inbox.asked import Worker
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.queries.uploaded_mails import uploaded_mails
from shared.services.errors import BadInput
from shared.services.upload_mails import MailFile, upload_mails

router = APIRouter(prefix="/upload")

MailIds = Annotated[list[int], Query(max_length=500)]


@router.get("")
def choose_files(request: Request, db: Db, user: Worker) -> HTMLResponse:
    return page(request, "inbox/upload.html", error="")


@router.post("")
def receive(
    request: Request,
    db: Db,
    user: Worker,
    files: Annotated[list[UploadFile] | None, File()] = None,
) -> Response:
    # A form without a chosen file sends one without a name.
    sent = [MailFile(file.filename, file.file.read()) for file in files or () if file.filename]
    try:
        imported = upload_mails(sent, actor=user.actor, clock=clock.now)
    except BadInput as problem:
        return page(request, "inbox/upload.html", status=422, error=str(problem))
    shown = "&".join(f"{'new' if each.is_new else 'known'}={each.mail_id}" for each in imported)
    return redirect(request, f"/inbox/upload/result?{shown}")


@router.get("/result")
def result(request: Request, db: Db, user: Worker, new: MailIds = [], known: MailIds = []) -> HTMLResponse:  # noqa: B006
    return page(request, "inbox/uploaded.html", new=uploaded_mails(db, new), known=uploaded_mails(db, known))
