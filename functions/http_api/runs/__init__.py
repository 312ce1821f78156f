"""One run in full, for everybody who sees jobs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from functions.http_api.addresses import ListAddress, RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from functions.http_api.runs.view import run_view
from shared import clock
from shared.domain.permissions import Right
from shared.queries.findings import findings_of
from shared.queries.run_objects import objects_of_run
from shared.queries.run_panel import RunPanel, run_panel
from shared.services.errors import NotFound

router = APIRouter()
Reader = Annotated[CurrentUser, require(Right.SEE_JOBS)]


@router.get("/runs/{run_id}", include_in_schema=False)
def run_page(request: Request, db: Db, user: Reader, run_id: RowId) -> Response:
    view = run_view(db, _run(db, run_id), user=user, now=clock.now())
    return page(request, "runs/page.html", view=view, run_link="/runs/{}".format, back=f"/runs/{run_id}")


@router.get("/runs/{run_id}/vanished", include_in_schema=False)
def vanished(
    request: Request,
    db: Db,
    user: Reader,
    run_id: RowId,
    page_number: Annotated[int, Query(alias="page")] = 1,
) -> Response:
    run, found = _run(db, run_id), findings_of(db, run_id, page_number)
    address = ListAddress(path=f"/runs/{run_id}/vanished")
    return page(
        request,
        "runs/vanished.html",
        run=run,
        found=found,
        address=address,
        may_review=user.may(Right.REVIEW_RUNS),
        back=address.on_page(found.number),
    )


@router.get("/runs/{run_id}/objects", include_in_schema=False)
def all_objects(
    request: Request,
    db: Db,
    user: Reader,
    run_id: RowId,
    q: str = "",
    page_number: Annotated[int, Query(alias="page")] = 1,
) -> Response:
    run = _run(db, run_id)
    address = ListAddress(path=f"/runs/{run_id}/objects", filters={"q": q})
    found = objects_of_run(db, run.run_id, q, page_number)
    return page(request, "runs/objects.html", run=run, found=found, address=address, q=q)


def _run(db: Db, run_id: int) -> RunPanel:
    panel = run_panel(db, run_id)
    if panel is None:
        raise NotFound("This run doesn't exist (any more).")
    return panel
