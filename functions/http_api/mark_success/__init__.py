"""Marking runs as success from Run Checks: why, and whether the problem is known from now on."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse

from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.refusals import is_htmx
from functions.http_api.rendering import page
from functions.http_api.run_checks.asked import LONGEST_REASON, Asked, AskedFor, answer, written
from functions.http_api.run_checks.here import PAGE
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.queries.marked_runs import marked_jobs
from shared.queries.run_checks import arrived_meanwhile
from shared.services.errors import BadInput
from shared.services.mark_success import mark_success
from shared.services.review_runs import Reviewed

REASONS = ("Known and harmless", "It was a test", "Done by hand since", "Planned maintenance")
NOTHING_CHOSEN = "Select at least one run first."

router = APIRouter(prefix=f"{PAGE}/mark-success", include_in_schema=False)
Marker = Annotated[CurrentUser, require(Right.MARK_AS_SUCCESS)]
Further = Annotated[bool, Form()]


@router.post("")
def ask(request: Request, db: Db, user: Marker, asked: AskedFor) -> Response:
    """Ask why, of exactly the runs that were on screen; an open page shows the form in a dialog."""
    if not asked.seen:
        return _nothing_chosen(request, asked)
    return _form(request, db, user, asked)


@router.post("/done")
def mark(request: Request, db: Db, user: Marker, asked: AskedFor, further: Further = False) -> Response:  # noqa: FBT002 -- a box
    if not asked.seen:
        return _nothing_chosen(request, asked)
    jobs = marked_jobs(db, [run_id for run_id, _ in asked.seen])
    try:
        done = mark_success(db, asked.seen, reason=asked.reason, actor=user.actor, now=clock.now())
    except BadInput as problem:
        return _form(request, db, user, asked, further=further, error=str(problem))
    arrived = arrived_meanwhile(db, (run_id for run_id, _ in (*asked.on_screen, *asked.only)))
    said = _said(done, answer(done, arrived=arrived, reviewer=user.display_name))
    undo = f"{PAGE}/undo/{done.review_id}?{urlencode({'back': asked.back})}" if done.review_id else ""
    if further and jobs and user.may(Right.EDIT_OVERRIDES):
        return redirect(request, f"/overrides/new?run_id={jobs[0].run_id}", toast=said, undo=undo)
    return redirect(request, asked.back, toast=said, undo=undo)


def _said(done: Reviewed, words: str) -> str:
    return f"Marked as success. {words}" if done.run_ids else words


def _nothing_chosen(request: Request, asked: Asked) -> Response:
    if is_htmx(request):
        return JSONResponse({"text": NOTHING_CHOSEN, "jobs": []})
    return redirect(request, asked.back, toast=NOTHING_CHOSEN)


def _form(
    request: Request, db: Db, user: CurrentUser, asked: Asked, *, further: bool = False, error: str = ""
) -> Response:
    return page(
        request,
        "mark_success/form.html" if is_htmx(request) else "mark_success/page.html",
        status=422 if error else 200,
        asked=asked,
        runs=written(asked.on_screen),
        only=written(asked.only),
        jobs=marked_jobs(db, [run_id for run_id, _ in asked.seen]),
        reasons=REASONS,
        longest=LONGEST_REASON,
        further=further,
        may_write=user.may(Right.EDIT_OVERRIDES),
        error=error,
    )
