"""Mails that people took out of the inbox; administrators bring them back."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api.addresses import ListAddress
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import plural
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.queries.deleted_mails import deleted_mails
from shared.services.dismiss_mail import restore_mails
from shared.services.errors import Conflict

PATH = "/manage/deleted-mails"
router = APIRouter(prefix=PATH, include_in_schema=False)
Keeper = Annotated[CurrentUser, require(Right.SEE_DELETED_MAILS)]


@router.get("")
def deleted_list(
    request: Request, db: Db, user: Keeper, q: str = "", page_number: Annotated[int, Query(alias="page")] = 1
) -> HTMLResponse:
    address = ListAddress(path=PATH, filters={"q": q})
    return page(request, "deleted_mails/list.html", q=q, address=address, found=deleted_mails(db, q, page_number))


@router.post("/restore")
def restore(
    request: Request,
    db: Db,
    user: Keeper,
    mail: Annotated[list[int], Query()] = [],  # noqa: B006
    back: str = PATH,
) -> Response:
    count = restore_mails(db, mail, actor=user.actor, now=clock.now())
    if not count:
        raise Conflict("These mails aren't deleted (any more).")
    return redirect(request, back, toast=f"{plural(count, 'mail')} brought back and read with today's parsers.")
