"""Lets a job rest until a day: no missed runs, but the days since its last good run go on. It resumes by itself."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy.orm import Session

from shared.models.schedules import JobSchedule
from shared.services.audit import Actor, record_act
from shared.services.edit_schedule import locked_schedule, zone_of
from shared.services.errors import BadInput, Conflict
from shared.services.keep_slots import keep_slots

LONGEST = 30  # days from today
MAX_REASON = 200
_LONGEST_KEPT = timedelta(days=30, hours=23)  # the schema's 31 days may have an hour less


def pause_job(
    db: Session, job_id: int, *, resumes_on: date, reason: str, version: str, actor: Actor, now: datetime
) -> None:
    """Expect no runs from now to the beginning of a day; of a paused job that moves the day.

    Raise NotFound, Conflict or BadInput.
    """
    known = locked_schedule(db, job_id, version=version)
    zone = zone_of(db, job_id)
    today = now.astimezone(zone).date()
    if not today < resumes_on <= today + timedelta(days=LONGEST):
        raise BadInput(f"Choose a day from tomorrow to {LONGEST} days from now.", field="resumes_on")
    tidy = " ".join(reason.split())
    if not tidy or len(tidy) > MAX_REASON or "\x00" in tidy:
        raise BadInput(f"Say why, in at most {MAX_REASON} characters.", field="reason")
    until = datetime.combine(resumes_on, time.min, zone).astimezone(UTC)
    before = _facts(known) if is_paused(known, now) else None
    # A pause that goes on keeps its beginning as long as it may: a slot whose grace still runs stays skipped.
    began = max(known.paused_at, until - _LONGEST_KEPT) if before and known.paused_at else now
    known.paused_at, known.paused_until, known.paused_by, known.pause_reason = began, until, actor.person_id, tidy
    _renew(db, known, "job.paused", before=before, actor=actor, now=now)


def resume_job(db: Session, job_id: int, *, actor: Actor, now: datetime) -> None:
    """Expect runs again from now on. Raise NotFound or Conflict."""
    known = locked_schedule(db, job_id, version=None)
    if not is_paused(known, now):
        raise Conflict("This job isn't paused (any more).")
    before = _facts(known)
    known.paused_until = now  # what was skipped until now stays skipped
    _renew(db, known, "job.resumed", before=before, actor=actor, now=now)


def is_paused(known: JobSchedule, now: datetime) -> bool:
    return known.paused_until is not None and known.paused_until > now


def _renew(
    db: Session, known: JobSchedule, action: str, *, before: dict[str, Any] | None, actor: Actor, now: datetime
) -> None:
    db.flush()  # the slots are made by what is stored
    keep_slots(db, [known.job_id], now=now)
    after = _facts(known)
    record_act(db, actor, action, subject_type="job", subject_id=known.job_id, before=before, after=after, now=now)


def _facts(known: JobSchedule) -> dict[str, Any]:
    return {
        "until": known.paused_until.isoformat() if known.paused_until else None,
        "reason": known.pause_reason,
    }
