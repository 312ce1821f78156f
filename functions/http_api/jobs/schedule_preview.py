"""The page that shows what a correction of a schedule would change. Only from there it can be saved."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.deps import Db
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.correction import Correction, NothingToCorrect
from shared.queries.job_detail import JobDetail, job_detail
from shared.queries.schedule_preview import preview
from shared.services.errors import Conflict, NotFound


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What a correction means: the title of its page, a sentence, the button, and what is said when it is done."""

    title: str
    sentence: str
    verb: str
    done: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """How a preview saves: where to, with the fields it carries along, and where they can be changed."""

    path: str
    fields: Sequence[tuple[str, str]] = ()
    form_path: str = ""


def preview_page(
    request: Request,
    db: Db,
    job: JobDetail,
    correction: Correction,
    words: Words,
    *,
    saved: Saved,
    problem: Conflict | None = None,
) -> HTMLResponse:
    """Return the page; with a problem it says that somebody was faster, and what the correction means now."""
    try:
        shown = preview(db, job.row.job_id, correction, now=clock.now())
    except NothingToCorrect as nothing:
        raise problem or Conflict(str(nothing)) from nothing
    return page(
        request,
        "jobs/schedule_preview.html",
        status=409 if problem else 200,
        job=job,
        preview=shown,
        words=words,
        saved=saved,
        problem=str(problem) if problem else "",
    )


def the_job(db: Db, job_id: int) -> JobDetail:
    """Return the job that a page is about. Raise NotFound."""
    if (job := job_detail(db, job_id)) is None:
        raise NotFound("This job doesn't exist (any more).")
    return job


def back_to_job(request: Request, job_id: int, toast: str, *, undo: str = "") -> Response:
    return redirect(request, f"/jobs/{job_id}#schedule", toast=toast, undo=undo)
