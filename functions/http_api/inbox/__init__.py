"""The inbox: mails that wait for a person, and those beside them that need none."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from functions.http_api import formats
from functions.http_api.deps import Db
from functions.http_api.inbox import bulk, detail, options, quarantined, reparse, upload
from functions.http_api.inbox.asked import Asked, Reader
from functions.http_api.rendering import page
from shared import clock
from shared.domain.mailflow import Ending
from shared.domain.permissions import Right
from shared.queries.inbox import waiting, waiting_count, waiting_softwares
from shared.queries.mail_ledger import Days, LedgerMail, ledger_mails
from shared.queries.quarantined import quarantined_count, quarantined_mails
from shared.queries.rows import Page

router = APIRouter(prefix="/inbox", include_in_schema=False)
DUPLICATE_DAYS = 30


@router.get("")
def inbox(request: Request, db: Db, user: Reader, asked: Annotated[Asked, Depends()]) -> HTMLResponse:
    shown: dict[str, Any] = {
        "asked": asked,
        "counts": {"waiting": waiting_count(db), "quarantined": quarantined_count(db)},
        "works": user.may(Right.WORK_INBOX),
        "sees_deleted": user.may(Right.SEE_DELETED_MAILS),
    }
    if asked.view == "quarantined":
        return page(request, "inbox/quarantined.html", found=quarantined_mails(db, asked.page), **shown)
    if asked.view == "duplicates":
        return page(request, "inbox/duplicates.html", found=_duplicates(db, asked), days=DUPLICATE_DAYS, **shown)
    softwares = [(name, name) for name in waiting_softwares(db)]
    found = waiting(db, asked.filters, asked.page)
    return page(request, "inbox/list.html", found=found, softwares=softwares, **shown)


def _duplicates(db: Db, asked: Asked) -> Page[LedgerMail]:
    today = clock.now().astimezone(formats.ui_zone()).date()
    days = Days.until(today, DUPLICATE_DAYS, formats.ui_zone())
    return ledger_mails(db, Ending.DUPLICATE, asked.page, days=days)


for part in (bulk, quarantined, reparse, upload, options, detail):  # the last one takes any number for a mail
    router.include_router(part.router)
