"""Writing a schedule down, and setting its grace: form, preview, save. What was typed stays until it is saved."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.addresses import RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.jobs.schedule_form import Sent, fields_of
from functions.http_api.jobs.schedule_preview import Saved, Words, back_to_job, preview_page, the_job
from functions.http_api.rendering import page
from shared import clock
from shared.domain.correction import OwnGrace, Write
from shared.domain.permissions import Right
from shared.domain.schedule import LONGEST_GRACE
from shared.domain.typed_schedule import MOST_PARTS, Mistyped, Typed, read_schedule, typed_of
from shared.queries.job_detail import JobDetail
from shared.queries.schedule_preview import current_watch
from shared.services.edit_schedule import correct_schedule
from shared.services.errors import Conflict

router = APIRouter(prefix="/{job_id}/schedule")

EditsJobs = Annotated[CurrentUser, require(Right.EDIT_JOBS)]
Typing = Annotated[Sent, Depends()]
Minutes = Annotated[str, Form()]
Version = Annotated[str, Form()]

_EDIT = Words(
    title="Save this schedule?",
    sentence="It is pinned: nothing that is learned from the runs replaces it.",
    verb="Save",
    done="Saved. The schedule is in force from the next day on.",
)
_GRACE = Words(
    title="Save this grace?",
    sentence="A run that comes later than its grace is missed until it comes, and then late.",
    verb="Save",
    done="Saved. The grace is in force from the next day on.",
)
_GRACE_IS = f"Write a number of minutes from 1 to {LONGEST_GRACE}, or nothing for what the runs show."


@router.get("/edit")
def edit(request: Request, db: Db, user: EditsJobs, job_id: RowId) -> HTMLResponse:
    job = the_job(db, job_id)
    current = current_watch(db, job_id, now=clock.now())
    schedule = current.in_force
    return _form(request, job, typed_of(schedule, near=current.today) if schedule else Typed())


@router.post("/edit")
def edit_on(request: Request, db: Db, user: EditsJobs, job_id: RowId, sent: Typing) -> HTMLResponse:
    return _form(request, the_job(db, job_id), sent.with_more)


@router.post("/edit/preview")
def preview_edit(request: Request, db: Db, user: EditsJobs, job_id: RowId, sent: Typing) -> HTMLResponse:
    job = the_job(db, job_id)
    try:
        correction = Write(read_schedule(sent.typed))
    except Mistyped as problem:
        return _form(request, job, sent.typed, errors=problem.errors)
    return preview_page(request, db, job, correction, _EDIT, saved=_saved_edit(job_id, sent))


@router.post("/edit/save")
def save_edit(request: Request, db: Db, user: EditsJobs, job_id: RowId, sent: Typing) -> Response:
    job = the_job(db, job_id)
    try:
        correction = Write(read_schedule(sent.typed))
        correct_schedule(db, job_id, correction, version=sent.version, actor=user.actor, now=clock.now())
    except Mistyped as problem:
        return _form(request, job, sent.typed, errors=problem.errors)
    except Conflict as problem:
        saved = _saved_edit(job_id, sent)
        return preview_page(request, db, job, correction, _EDIT, saved=saved, problem=problem)
    return back_to_job(request, job_id, _EDIT.done)


@router.get("/grace")
def grace(request: Request, db: Db, user: EditsJobs, job_id: RowId) -> HTMLResponse:
    job = the_job(db, job_id)
    own = current_watch(db, job_id, now=clock.now()).watch.own_grace
    return _grace_form(request, job, "" if own is None else str(own))


@router.post("/grace/preview")
def preview_grace(request: Request, db: Db, user: EditsJobs, job_id: RowId, minutes: Minutes = "") -> HTMLResponse:
    job = the_job(db, job_id)
    if (correction := _own_grace(minutes)) is None:
        return _grace_form(request, job, minutes, error=_GRACE_IS)
    return preview_page(request, db, job, correction, _GRACE, saved=_saved_grace(job_id, minutes))


@router.post("/grace/save")
def save_grace(
    request: Request, db: Db, user: EditsJobs, job_id: RowId, minutes: Minutes = "", version: Version = ""
) -> Response:
    job = the_job(db, job_id)
    if (correction := _own_grace(minutes)) is None:
        return _grace_form(request, job, minutes, error=_GRACE_IS)
    try:
        correct_schedule(db, job_id, correction, version=version, actor=user.actor, now=clock.now())
    except Conflict as problem:
        saved = _saved_grace(job_id, minutes)
        return preview_page(request, db, job, correction, _GRACE, saved=saved, problem=problem)
    return back_to_job(request, job_id, _GRACE.done)


def _form(request: Request, job: JobDetail, typed: Typed, errors: dict[str, str] | None = None) -> HTMLResponse:
    context = {"job": job, "typed": typed, "errors": errors or {}, "most_parts": MOST_PARTS}
    return page(request, "jobs/schedule_edit.html", status=422 if errors else 200, **context)


def _saved_edit(job_id: int, sent: Sent) -> Saved:
    form_path = f"/jobs/{job_id}/schedule/edit"
    return Saved(path=f"{form_path}/save", fields=list(fields_of(sent.typed)), form_path=form_path)


def _grace_form(request: Request, job: JobDetail, minutes: str, error: str = "") -> HTMLResponse:
    status = 422 if error else 200
    return page(request, "jobs/schedule_grace.html", status=status, job=job, minutes=minutes, error=error)


def _saved_grace(job_id: int, minutes: str) -> Saved:
    return Saved(path=f"/jobs/{job_id}/schedule/grace/save", fields=[("minutes", minutes)])


def _own_grace(minutes: str) -> OwnGrace | None:
    """Return the grace that was typed, None for what is none."""
    text = minutes.strip()
    if not text:
        return OwnGrace(None)
    is_number = text.isascii() and text.isdecimal() and len(text) <= 4
    return OwnGrace(int(text)) if is_number and 1 <= int(text) <= LONGEST_GRACE else None
