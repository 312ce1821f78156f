"""One run in full, for everybody who sees jobs, and what its alerts are."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from functions.http_api.addresses import RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from functions.http_api.runs.view import run_view
from shared import clock
from shared.domain.permissions import Right
from shared.queries.run_panel import run_exists, run_panel
from shared.services.errors import NotFound

router = APIRouter()
Reader = Annotated[CurrentUser, require(Right.SEE_JOBS)]


class Alerts(BaseModel):
    """Tickets and remarks of a run. Neither exists yet, so both lists are empty."""

    tickets: list[dict[str, object]] = []
    remarks: list[dict[str, object]] = []


@router.get("/runs/{run_id}", include_in_schema=False)
def run_page(request: Request, db: Db, user: Reader, run_id: RowId) -> Response:
    panel = run_panel(db, run_id)
    if panel is None:
        raise NotFound("This run doesn't exist (any more).")
    view = run_view(db, panel, user=user, now=clock.now())
    return page(request, "runs/page.html", view=view, run_link="/runs/{}".format, back=f"/runs/{run_id}")


@router.get("/api/job-runs/{run_id}/alerts", tags=["runs"])
def alerts(db: Db, user: Reader, run_id: RowId) -> Alerts:
    """Return the tickets and remarks that concern a run."""
    if not run_exists(db, run_id):
        raise NotFound("This run doesn't exist (any more).")
    return Alerts()
