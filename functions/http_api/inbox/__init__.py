"""The inbox: mails that wait for a person, and those beside them that need none."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from functions.http_api import formats
from functions.http_api.deps import Db
from functions.http_api.inbox import bulk, detail, options, reparse, upload
from functions.http_api.inbox.asked import Asked, Reader
from functions.http_api.rendering import page
from shared import clock
from shared.domain.mailflow import Ending
from shared.domain.permissions import Right
from shared.queries.inbox import quarantined_count, waiting, waiting_count, waiting_softwares
from shared.queries.mail_ledger import Days, ledger_mails

router = APIRouter(prefix="/inbox", include_in_schema=False)
DUPLICATE_DAYS = 30


@router.get("")
def inbox(request: Request, db: Db, user: Reader, asked: Annotated[Asked, Depends()]) -> HTMLResponse:
    counts = {"waiting": waiting_count(db), "quarantined": quarantined_count(db)}
    rights = {"works": user.may(Right.WORK_INBOX), "sees_deleted": user.may(Right.SEE_DELETED_MAILS)}
    if asked.view == "waiting":
        found = waiting(db, asked.filters, asked.page)
        softwares = [(name, name) for name in waiting_softwares(db)]
        return page(request, "inbox/list.html", asked=asked, found=found, counts=counts, softwares=softwares, **rights)
    outcome = Ending.QUARANTINED if asked.view == "quarantined" else Ending.DUPLICATE
    today = clock.now().astimezone(formats.ui_zone()).date()
    days = Days.until(today, DUPLICATE_DAYS, formats.ui_zone()) if outcome is Ending.DUPLICATE else None
    mails = ledger_mails(db, outcome, asked.page, days=days)
    return page(request, "inbox/others.html", asked=asked, found=mails, counts=counts, days=DUPLICATE_DAYS, **rights)


for part in (bulk, reparse, upload, options, detail):  # the last one takes any number for a mail
    router.include_router(part.router)
