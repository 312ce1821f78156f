"""Lets people correct what was learned of when a job runs. `pause_job.py` is for a job that rests a while.

Each function takes the `version` that was on screen (`domain/watch_version.py`), and raises Conflict when a person or
the learner decided something since. The slots to come are made anew at once; a day that has begun keeps its own.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.domain.correction import (
    Accept,
    Correction,
    Keep,
    NothingToCorrect,
    OwnGrace,
    Reject,
    Relearn,
    Sleep,
    Watch,
    Write,
    corrected,
)
from shared.domain.schedule import LONGEST_GRACE, ScheduleKind, describe
from shared.domain.schedule_json import lanes_to_json, schedule_from_json, schedule_of
from shared.domain.slot_state import ScheduleMode
from shared.domain.watch_version import watch_version
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.models.schedules import JobSchedule
from shared.models.system import SystemSettings
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.keep_slots import keep_slots
from shared.services.learn_schedules import learn_schedules
from shared.services.record_run import lock_jobs
from shared.services.watch_again import watch_again
from shared.services.watched_jobs import is_watched

_ACTS: dict[type[Correction], str] = {
    Accept: "schedule.accepted",
    Keep: "schedule.pinned",
    Write: "schedule.pinned",
    Reject: "schedule.rejected",
    Relearn: "schedule.relearned",
    OwnGrace: "schedule.grace_changed",
    Sleep: "schedule.sleeping_changed",
}


def correct_schedule(
    db: Session, job_id: int, correction: Correction, *, version: str, actor: Actor, now: datetime
) -> None:
    """Put a correction in force. Raise NotFound, Conflict or BadInput."""
    known = locked_schedule(db, job_id, version=version)
    before, facts = _watch_of(known), _facts(known)
    proposal = schedule_from_json(known.proposal) if known.proposal else None
    try:
        after = corrected(before, correction, proposal=proposal)
    except NothingToCorrect as problem:
        raise Conflict(str(problem)) from problem
    _put(db, known, after, actor=actor, now=now)
    if isinstance(correction, Accept):
        known.proposal, known.accepted_at = None, now
    if isinstance(correction, Relearn):
        known.declined = known.accepted_at = None
    _renew(db, known, now)
    if before.sleeps and not after.sleeps:
        watch_again(db, [job_id], now=now)
    _record(db, _ACTS[type(correction)], known, before=facts, actor=actor, now=now)


def decline_proposal(db: Session, job_id: int, *, version: str, actor: Actor, now: datetime) -> None:
    """Keep what is in force, and never propose those days again. Raise NotFound or Conflict."""
    known = locked_schedule(db, job_id, version=version)
    if known.proposal is None:
        raise Conflict("Nothing is proposed any more.")
    facts = _facts(known)
    known.declined, known.proposal = known.proposal, None
    _record(db, "schedule.declined", known, before=facts, actor=actor, now=now)


def locked_schedule(db: Session, job_id: int, *, version: str | None) -> JobSchedule:
    """Lock a watched job and return what is kept of it, made when nobody looked at the job yet.

    Raise NotFound, or Conflict when it isn't watched by time, or is no longer as it was on screen.
    """
    lock_jobs(db, [job_id])
    if db.get(Job, job_id) is None:
        raise NotFound("This job doesn't exist (any more).")
    watched = select(Job.id).join(Customer, Customer.id == Job.customer_id).where(Job.id == job_id, *is_watched())
    if db.scalar(watched) is None:
        raise Conflict("This job isn't watched by time: it is archived, its customer is inactive, or it isn't regular.")
    known = db.get(JobSchedule, job_id, with_for_update=True, populate_existing=True)
    if version is not None and version != watch_version(known):
        raise Conflict("The schedule was changed in the meantime. Look at it again before you decide.")
    if known is None:
        db.execute(insert(JobSchedule).values(job_id=job_id).on_conflict_do_nothing())
        known = db.get_one(JobSchedule, job_id, with_for_update=True)
    return known


def zone_of(db: Session, job_id: int) -> ZoneInfo:
    """Return the zone on whose clock the job runs."""
    own = select(Customer.time_zone).join(Job, Job.customer_id == Customer.id).where(Job.id == job_id)
    return ZoneInfo(db.scalar(own) or db.get_one(SystemSettings, 1).ui_time_zone)


def _watch_of(known: JobSchedule) -> Watch:
    return Watch(
        mode=known.mode,
        schedule=schedule_of(known.lanes, known.confidence) if known.lanes else None,
        own_grace=known.grace_minutes,
        sleeps=known.sleeps,
    )


def _put(db: Session, known: JobSchedule, after: Watch, *, actor: Actor, now: datetime) -> None:
    if after.own_grace is not None and not 1 <= after.own_grace <= LONGEST_GRACE:
        raise BadInput(f"Grace is a number of minutes from 1 to {LONGEST_GRACE}.", field="grace")
    wakes = known.sleeps and not after.sleeps
    is_new_decision = after.mode is not known.mode or after.schedule != _watch_of(known).schedule
    known.mode, known.grace_minutes, known.sleeps = after.mode, after.own_grace, after.sleeps
    known.lanes = lanes_to_json(after.schedule.lanes) if after.schedule else []
    known.confidence = after.schedule.confidence if after.schedule else None
    known.kind = after.schedule.kind if after.schedule else ScheduleKind.UNKNOWN
    if after.mode is ScheduleMode.LEARNED:
        known.decided_by = known.decided_at = None
    elif is_new_decision:
        known.decided_by, known.decided_at, known.proposal = actor.person_id, now, None
    if known.slots_until is None and (wakes or after.mode is not ScheduleMode.LEARNED):
        # Nobody is told of slots from before he decided that there are any.
        known.slots_until = now.astimezone(zone_of(db, known.job_id)).date()


def _renew(db: Session, known: JobSchedule, now: datetime) -> None:
    """Learn what is to be learned beside the decision, the maximum silence among it, and make the slots to come."""
    db.flush()  # both read what was decided
    learn_schedules(db, [known.job_id], now=now)
    keep_slots(db, [known.job_id], now=now)


def _record(
    db: Session, action: str, known: JobSchedule, *, before: dict[str, Any], actor: Actor, now: datetime
) -> None:
    record_act(
        db,
        actor,
        action,
        subject_type="job",
        subject_id=known.job_id,
        before=before,
        after=_facts(known),
        now=now,
    )


def _facts(known: JobSchedule) -> dict[str, Any]:
    return {
        "mode": known.mode,
        "runs": describe(schedule_of(known.lanes, known.confidence)),
        "lanes": known.lanes,
        "proposal": describe(schedule_from_json(known.proposal)) if known.proposal else None,
        "grace_minutes": known.grace_minutes,
        "sleeps": known.sleeps,
    }
