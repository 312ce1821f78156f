"""The jobs whose latest result isn't good, whatever was reviewed: what a customer could not restore today."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from functions.http_api.addresses import ListAddress
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from shared.domain.permissions import Right
from shared.queries.jobs import judged_count, not_protected, without_result_count

router = APIRouter(prefix="/not-protected", include_in_schema=False)


@router.get("")
def not_protected_now(
    request: Request,
    db: Db,
    user: Annotated[CurrentUser, require(Right.SEE_JOBS)],
    number: Annotated[int, Query(alias="page")] = 1,
) -> HTMLResponse:
    return page(
        request,
        "not_protected/list.html",
        jobs=not_protected(db, number),
        judged=judged_count(db),
        without_result=without_result_count(db),
        address=ListAddress(path="/not-protected"),
    )
