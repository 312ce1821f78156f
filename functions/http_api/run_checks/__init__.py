"""Run Checks: what operators go through each morning until nothing is left."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from functions.http_api.addresses import RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import plural
from functions.http_api.refusals import is_htmx
from functions.http_api.rendering import page
from functions.http_api.run_checks import words
from functions.http_api.run_checks.asked import LONGEST_REASON, Asked, AskedFor, answer, written
from functions.http_api.run_checks.here import PAGE, HereInTheList
from functions.http_api.run_checks.listed import filters_for, list_context, panel_view
from functions.http_api.run_checks.remembered import as_last_time, remember
from functions.http_api.runs.view import REASONS
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.queries.run_checks import arrived_meanwhile, one_cause, one_job, one_silence, run_checks
from shared.services.confirm_removed import confirm_removed
from shared.services.errors import BadInput
from shared.services.review_runs import review_runs, undo_review

router = APIRouter(prefix=PAGE, include_in_schema=False)
Operator = Annotated[CurrentUser, require(Right.SEE_RUN_CHECKS)]
Reviewer = Annotated[CurrentUser, require(Right.REVIEW_RUNS)]
Undoer = Annotated[CurrentUser, require(Right.UNDO_OWN_REVIEW)]
Back = Annotated[str, Form()]


@router.get("")
def queue(request: Request, db: Db, user: Operator, here: HereInTheList) -> Response:
    chosen = as_last_time(request, here)
    if chosen != here:
        return RedirectResponse(chosen.link(), 303)
    answer = page(request, "run_checks/queue.html", **list_context(db, here, user=user, now=clock.now()))
    remember(request, answer, here)
    return answer


@router.get("/state")
def state(db: Db, user: Operator, here: HereInTheList) -> JSONResponse:
    """Return what waits now, for a page that stays open: it marks what changed and moves nothing."""
    now = clock.now()
    found = run_checks(db, filters_for(here, user, now), now=now, by_cause=here.causes)
    rows = {row.key: row.pairs for row in (*found.rows, *found.clean)}
    return JSONResponse({"jobs": found.jobs, "runs": found.runs, "rows": rows, "cut": found.is_cut})


@router.get("/jobs/{job_id}")
def panel(request: Request, db: Db, user: Operator, here: HereInTheList, job_id: RowId) -> Response:
    """Return the panel of a job for a page that is open; else the page with that panel."""
    if not is_htmx(request):
        return RedirectResponse(here.link(panel=job_id), 303)
    view = panel_view(db, job_id, here.run, user=user, now=clock.now())
    link = here.run_links(job_id)
    return page(request, "run_checks/panel.html", view=view, here=here, neighbours=None, run_link=link)


@router.get("/jobs/{job_id}/row")
def one_row(request: Request, db: Db, user: Operator, here: HereInTheList, job_id: RowId) -> Response:
    """Return what a job's row is now, whatever the list is narrowed to; nothing when nothing of it waits."""
    now = clock.now()
    row = one_job(db, job_id, reviewed_since=filters_for(here, user, now).reviewed_since, now=now)
    return page(request, "run_checks/row.html", here=here, row=row, words=words)


@router.get("/silences/{silence_id}/row")
def one_silences_row(request: Request, db: Db, user: Operator, here: HereInTheList, silence_id: RowId) -> Response:
    """Return what the row of a silence is now, with those of its jobs; nothing when nothing of it waits."""
    now = clock.now()
    row = one_silence(db, silence_id, filters_for(here, user, now), now=now)
    return page(request, "run_checks/row.html", here=here, row=row, words=words)


@router.get("/causes/{key}/row")
def one_causes_row(request: Request, db: Db, user: Operator, here: HereInTheList, key: str) -> Response:
    """Return what the row of a cause is now, with those of its jobs; nothing when nothing of it waits."""
    now = clock.now()
    row = one_cause(db, key, filters_for(here, user, now), now=now)
    return page(request, "run_checks/row.html", here=here, row=row, words=words)


@router.post("/review")
def review(request: Request, db: Db, user: Reviewer, asked: AskedFor) -> Response:
    if not asked.seen:
        return _done(request, "Select at least one run first.", back=asked.back)
    try:
        done = review_runs(db, asked.seen, actor=user.actor, now=clock.now(), reason=asked.reason)
    except BadInput as problem:
        return _ask_reason(request, asked, str(problem))
    arrived = arrived_meanwhile(db, (run_id for run_id, _ in (*asked.on_screen, *asked.only)))
    said = answer(done, arrived=arrived, reviewer=user.display_name)
    undo = f"{PAGE}/undo/{done.review_id}?{urlencode({'back': asked.back})}" if done.review_id else ""
    return _done(request, said, back=asked.back, undo=undo, stays_open=done.changed, arrived=arrived)


@router.post("/undo/{review_id}")
def undo(request: Request, db: Db, user: Undoer, review_id: RowId, back: str = PAGE) -> Response:
    any_review = user.may(Right.UNDO_ANY_REVIEW)
    runs = undo_review(db, review_id, actor=user.actor, may_undo_any=any_review, now=clock.now())
    return redirect(request, back, toast=f"{plural(runs, 'run is', 'runs are')} to review again.")


@router.post("/runs/{run_id}/removed")
def removed(
    request: Request,
    db: Db,
    user: Reviewer,
    run_id: RowId,
    name: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
    back: Back = PAGE,
) -> Response:
    changed = confirm_removed(db, run_id, name, actor=user.actor, reason=reason, now=clock.now())
    said = f"{name} is confirmed as removed." + (f" {plural(changed, 'run')} judged anew." if changed else "")
    return redirect(request, back, toast=said)


def _done(
    request: Request, said: str, *, back: str, undo: str = "", stays_open: tuple[int, ...] = (), arrived: int = 0
) -> Response:
    if is_htmx(request):
        return JSONResponse({"text": said, "undo": undo, "stays_open": stays_open, "arrived": arrived})
    return redirect(request, back, toast=said, undo=undo)


def _ask_reason(request: Request, asked: Asked, sentence: str) -> Response:
    """Ask why bad runs are all right; nothing was reviewed yet."""
    context = {"asked": asked, "runs": written(asked.on_screen), "only": written(asked.only), "sentence": sentence}
    if is_htmx(request):
        return JSONResponse({"needs_reason": sentence}, 422)
    return page(request, "run_checks/reason.html", status=422, reasons=REASONS, longest=LONGEST_REASON, **context)
