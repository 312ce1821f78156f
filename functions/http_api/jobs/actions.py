"""What people do with a job: move, archive, take out of the archive, delete. Each asks on a page of its own."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.addresses import LARGEST_ID, RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.names import fold
from shared.domain.permissions import Right
from shared.queries.customers import MOST_FOUND, customer, find_customers
from shared.queries.job_detail import JobDetail, job_detail
from shared.queries.open_on_jobs import NOTHING_OPEN, open_on_jobs
from shared.services.edit_job import archive_job, delete_job, move_job, unarchive_job
from shared.services.errors import Conflict, NotFound

router = APIRouter()

EditsJobs = Annotated[CurrentUser, require(Right.EDIT_JOBS)]
UnarchivesJobs = Annotated[CurrentUser, require(Right.UNARCHIVE_JOBS)]
DeletesJobs = Annotated[CurrentUser, require(Right.DELETE_JOBS)]

ARCHIVE_WORDS = (
    "Its mails make no runs any more, and the job leaves all lists but the archive. Its history stays. "
    "Only administrators take a job out of the archive."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowed:
    """What a user may do with a job."""

    edit: bool
    unarchive: bool
    delete: bool

    @classmethod
    def to(cls, user: CurrentUser) -> "Allowed":
        return cls(
            edit=user.may(Right.EDIT_JOBS),
            unarchive=user.may(Right.UNARCHIVE_JOBS),
            delete=user.may(Right.DELETE_JOBS),
        )


@router.get("/{job_id}/move")
def ask_where_to(request: Request, db: Db, user: EditsJobs, job_id: RowId, q: str = "") -> HTMLResponse:
    return _ask_where_to(request, db, _job(db, job_id), q)


@router.post("/{job_id}/move")
def move(
    request: Request,
    db: Db,
    user: EditsJobs,
    job_id: RowId,
    customer_id: Annotated[int | None, Form(ge=0, le=LARGEST_ID)] = None,
    q: Annotated[str, Form()] = "",
) -> Response:
    job = _job(db, job_id)
    if customer_id is None:
        return _ask_where_to(request, db, job, q, error="Choose the customer that the job belongs to.")
    move_job(db, job_id, customer_id, actor=user.actor, now=clock.now())
    return redirect(
        request,
        f"/jobs/{job_id}",
        toast=f"Moved {job.row.job_name} to {_name(db, customer_id)}.",
        undo=f"/jobs/{job_id}/move-back/{job.row.customer_id}",
    )


@router.post("/{job_id}/move-back/{customer_id}")
def move_back(request: Request, db: Db, user: EditsJobs, job_id: RowId, customer_id: RowId) -> Response:
    move_job(db, job_id, customer_id, actor=user.actor, now=clock.now())
    return redirect(request, f"/jobs/{job_id}", toast=f"Moved back to {_name(db, customer_id)}.")


@router.get("/{job_id}/archive")
def ask_to_archive(request: Request, db: Db, user: EditsJobs, job_id: RowId) -> HTMLResponse:
    return page(request, "jobs/archive.html", job=_job(db, job_id), archive_words=ARCHIVE_WORDS)


@router.post("/{job_id}/archive")
def archive(request: Request, db: Db, user: EditsJobs, job_id: RowId) -> Response:
    archive_job(db, job_id, actor=user.actor, now=clock.now())
    undo = f"/jobs/{job_id}/unarchive" if user.may(Right.UNARCHIVE_JOBS) else ""
    return redirect(request, f"/jobs/{job_id}", toast="Archived. Its mails make no runs any more.", undo=undo)


@router.post("/{job_id}/unarchive")
def unarchive(request: Request, db: Db, user: UnarchivesJobs, job_id: RowId) -> Response:
    unarchive_job(db, job_id, actor=user.actor, now=clock.now())
    return redirect(request, f"/jobs/{job_id}", toast="Taken out of the archive. New mails make runs again.")


@router.get("/{job_id}/delete")
def ask_to_delete(request: Request, db: Db, user: DeletesJobs, job_id: RowId) -> HTMLResponse:
    job = _job(db, job_id)
    if job.row.archived_at is None:
        raise Conflict("Archive the job first; only archived jobs can be deleted.")
    return _ask_to_delete(request, db, job)


@router.post("/{job_id}/delete")
def delete(
    request: Request, db: Db, user: DeletesJobs, job_id: RowId, typed: Annotated[str, Form(alias="name")] = ""
) -> Response:
    job = _job(db, job_id)
    if fold(typed) != fold(job.row.job_name):
        return _ask_to_delete(request, db, job, typed, error="This is not the job's name. Nothing was deleted.")
    delete_job(db, job_id, actor=user.actor, now=clock.now())
    return redirect(request, "/manage/archived-jobs", toast=f"Deleted {job.row.job_name} and its runs.")


def _ask_where_to(request: Request, db: Db, job: JobDetail, q: str, error: str = "") -> HTMLResponse:
    options = find_customers(db, q)
    is_open = open_on_jobs(db, [job.row.job_id]).get(job.row.job_id, NOTHING_OPEN)
    context = {"job": job, "q": q, "options": options, "most": MOST_FOUND, "open": is_open, "error": error}
    return page(request, "jobs/move.html", status=422 if error else 200, **context)


def _ask_to_delete(request: Request, db: Db, job: JobDetail, typed: str = "", error: str = "") -> HTMLResponse:
    is_open = open_on_jobs(db, [job.row.job_id]).get(job.row.job_id, NOTHING_OPEN)
    context = {"job": job, "open": is_open, "typed": typed, "error": error}
    return page(request, "jobs/delete.html", status=422 if error else 200, **context)


def _job(db: Db, job_id: int) -> JobDetail:
    if (job := job_detail(db, job_id)) is None:
        raise NotFound("This job doesn't exist (any more).")
    return job


def _name(db: Db, customer_id: int) -> str:
    found = customer(db, customer_id)
    return found.name if found else "the customer"
