"""Pausing a job until a day, and letting it go on."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.addresses import RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.jobs.schedule_preview import back_to_job, the_job
from functions.http_api.rendering import page
from shared import clock
from shared.domain.permissions import Right
from shared.queries.job_detail import JobDetail
from shared.queries.schedule_preview import current_watch, preview_pause
from shared.services.errors import BadInput, Conflict
from shared.services.pause_job import LONGEST, MAX_REASON, pause_job, resume_job

router = APIRouter(prefix="/{job_id}/schedule")

EditsJobs = Annotated[CurrentUser, require(Right.EDIT_JOBS)]
Day = Annotated[str, Form()]
Reason = Annotated[str, Form()]
WHICH_DAY = f"Choose a day from tomorrow to {LONGEST} days from now."


@router.get("/pause")
def ask(request: Request, db: Db, user: EditsJobs, job_id: RowId) -> HTMLResponse:
    return _form(request, db, the_job(db, job_id), "", "")


@router.post("/pause/preview")
def preview(
    request: Request, db: Db, user: EditsJobs, job_id: RowId, resumes_on: Day = "", reason: Reason = ""
) -> HTMLResponse:
    job = the_job(db, job_id)
    errors = {}
    if (day := _day(db, job_id, resumes_on)) is None:
        errors["resumes_on"] = WHICH_DAY
    if not reason.strip() or len(reason) > MAX_REASON:
        errors["reason"] = f"Say why, in at most {MAX_REASON} characters."
    if errors or day is None:
        return _form(request, db, job, resumes_on, reason, errors=errors)
    return _preview(request, db, job, day, reason)


@router.post("/pause/save")
def save(
    request: Request,
    db: Db,
    user: EditsJobs,
    job_id: RowId,
    resumes_on: Day = "",
    reason: Reason = "",
    version: Annotated[str, Form()] = "",
) -> Response:
    job, day = the_job(db, job_id), _day(db, job_id, resumes_on)
    if day is None:
        return _form(request, db, job, resumes_on, reason, errors={"resumes_on": WHICH_DAY})
    try:
        pause_job(db, job_id, resumes_on=day, reason=reason, version=version, actor=user.actor, now=clock.now())
    except BadInput as problem:
        return _form(request, db, job, resumes_on, reason, errors={problem.field or "reason": str(problem)})
    except Conflict as problem:
        return _preview(request, db, job, day, reason, problem=problem)
    toast = f"Paused. Runs are expected again from {day:%a %-d %b} on."
    return back_to_job(request, job_id, toast, undo=f"/jobs/{job_id}/schedule/resume")


@router.post("/resume")
def resume(request: Request, db: Db, user: EditsJobs, job_id: RowId) -> Response:
    resume_job(db, job_id, actor=user.actor, now=clock.now())
    return back_to_job(request, job_id, "Runs are expected again from now on.")


def _form(
    request: Request, db: Db, job: JobDetail, resumes_on: str, reason: str, errors: dict[str, str] | None = None
) -> HTMLResponse:
    today = current_watch(db, job.row.job_id, now=clock.now()).today
    return page(
        request,
        "jobs/schedule_pause.html",
        status=422 if errors else 200,
        job=job,
        resumes_on=resumes_on,
        reason=reason,
        errors=errors or {},
        first=today + timedelta(days=1),
        last=today + timedelta(days=LONGEST),
        longest=LONGEST,
    )


def _preview(
    request: Request, db: Db, job: JobDetail, day: date, reason: str, problem: Conflict | None = None
) -> HTMLResponse:
    return page(
        request,
        "jobs/schedule_pause_preview.html",
        status=409 if problem else 200,
        job=job,
        preview=preview_pause(db, job.row.job_id, day, now=clock.now()),
        day=day,
        reason=reason,
        problem=str(problem) if problem else "",
    )


def _day(db: Db, job_id: int, text: str) -> date | None:
    """Return the day that was typed, if a job can be paused until then."""
    today = current_watch(db, job_id, now=clock.now()).today
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if today < day <= today + timedelta(days=LONGEST) else None
