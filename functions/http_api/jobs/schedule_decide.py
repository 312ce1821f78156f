"""What an operator decides about a schedule without typing anything."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.addresses import RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.jobs.schedule_preview import Saved, Words, back_to_job, preview_page, the_job
from shared import clock
from shared.domain.correction import Accept, Correction, Keep, Reject, Relearn, Sleep
from shared.domain.permissions import Right
from shared.queries.job_detail import JobDetail
from shared.services.edit_schedule import correct_schedule, decline_proposal
from shared.services.errors import Conflict

router = APIRouter(prefix="/{job_id}/schedule")

EditsJobs = Annotated[CurrentUser, require(Right.EDIT_JOBS)]
Version = Annotated[str, Form()]


class Decision(StrEnum):
    """A decision as its address spells it."""

    ACCEPT = "accept"
    KEEP = "pin"
    REJECT = "reject"
    RELEARN = "relearn"
    SLEEP = "sleep"
    WAKE = "wake"


_MEANS: Mapping[Decision, tuple[Correction, Words]] = {
    Decision.ACCEPT: (
        Accept(),
        Words(
            title="Accept what is proposed?",
            sentence="The job goes on being learned. What falls away is no longer expected.",
            verb="Accept",
            done="Accepted. The schedule is in force from the next day on.",
        ),
    ),
    Decision.KEEP: (
        Keep(),
        Words(
            title="Pin the schedule?",
            sentence="It stays as it is, whatever the runs show from now on.",
            verb="Pin",
            done="Pinned. Nothing that is learned replaces it.",
        ),
    ),
    Decision.REJECT: (
        Reject(),
        Words(
            title="Reject the schedule?",
            sentence="The job has no regular times: it is reported when it is silent for too long.",
            verb="Reject",
            done="Rejected. The job is reported when it is silent for too long.",
        ),
    ),
    Decision.RELEARN: (
        Relearn(),
        Words(
            title="Go back to what is learned?",
            sentence="What people decided about this schedule is forgotten.",
            verb="Go back to learned",
            done="The schedule is learned again.",
        ),
    ),
    Decision.SLEEP: (
        Sleep(sleeps=True),
        Words(
            title="Is this a device that sleeps?",
            sentence="A workstation that is off at times has no slots: it is reported when its last good backup is "
            "too old.",
            verb="It sleeps",
            done="No slots any more: it is reported when its last good backup is too old.",
        ),
    ),
    Decision.WAKE: (
        Sleep(sleeps=False),
        Words(
            title="Expect this device at its times?",
            sentence="It is watched by its schedule again.",
            verb="Expect it",
            done="Its runs are expected again from the next day on.",
        ),
    ),
}


@router.post("/decline")
def decline(request: Request, db: Db, user: EditsJobs, job_id: RowId, version: Version = "") -> Response:
    decline_proposal(db, job_id, version=version, actor=user.actor, now=clock.now())
    toast = "Declined. What is in force stays, and these days are not proposed again."
    return back_to_job(request, job_id, toast)


@router.get("/{decision}")
def ask(request: Request, db: Db, user: EditsJobs, job_id: RowId, decision: Decision) -> HTMLResponse:
    return _ask(request, db, the_job(db, job_id), decision)


@router.post("/{decision}")
def decide(
    request: Request, db: Db, user: EditsJobs, job_id: RowId, decision: Decision, version: Version = ""
) -> Response:
    job, (correction, words) = the_job(db, job_id), _MEANS[decision]
    try:
        correct_schedule(db, job_id, correction, version=version, actor=user.actor, now=clock.now())
    except Conflict as problem:
        return _ask(request, db, job, decision, problem=problem)
    return back_to_job(request, job_id, words.done)


def _ask(request: Request, db: Db, job: JobDetail, decision: Decision, problem: Conflict | None = None) -> HTMLResponse:
    correction, words = _MEANS[decision]
    saved = Saved(path=f"/jobs/{job.row.job_id}/schedule/{decision.value}")
    return preview_page(request, db, job, correction, words, saved=saved, problem=problem)
