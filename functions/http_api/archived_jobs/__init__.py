"""The archive: jobs that make no runs any more, and those that still send mails."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from functions.http_api.addresses import ListAddress
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from shared.domain.permissions import Right
from shared.queries.archived_jobs import archive

router = APIRouter(prefix="/manage/archived-jobs", include_in_schema=False)


@router.get("")
def archived(
    request: Request,
    db: Db,
    user: Annotated[CurrentUser, require(Right.SEE_ARCHIVED_JOBS)],
    q: str = "",
    number: Annotated[int, Query(alias="page")] = 1,
) -> HTMLResponse:
    address = ListAddress(path="/manage/archived-jobs", filters={"q": q})
    return page(request, "archived_jobs/list.html", archived=archive(db, number, q), q=q, address=address)
