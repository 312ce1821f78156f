"""Keeps the slots of jobs a few days ahead of time, and up to now after a pause of our own.

A day that has begun keeps its slots: a new schedule is in force from the next day on. Without a schedule there is one
slot, where the maximum silence runs out.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Exists, delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from shared.domain.backtest import allowed_grace
from shared.domain.schedule import Slot, as_datetime
from shared.domain.schedule_json import schedule_of
from shared.domain.slot_state import OPEN, SlotState
from shared.models.schedules import JobSchedule, JobSlot
from shared.models.system import SystemSettings
from shared.services.record_run import lock_jobs
from shared.services.skip_slots import Exceptions, exceptions, skip_slots
from shared.services.watched_jobs import WatchedJob, watched_jobs

AHEAD = 3  # days
NEAR = timedelta(days=3)  # how far a slot is from the day it belongs to, at most: what has an index is its moment


def keep_slots(db: Session, job_ids: Sequence[int], *, now: datetime) -> int:
    """Make the slots of these jobs anew, up to a few days from now, and return how many were added.

    Call it in the transaction of whatever changes what they expect: a schedule, a pause, a closed day. The jobs are
    locked. Harmless to repeat.
    """
    lock_jobs(db, job_ids)
    look_back = db.get_one(SystemSettings, 1).missed_look_back_days
    jobs = watched_jobs(db, job_ids)
    known = exceptions(db, jobs, since=now.date() - timedelta(days=look_back + 2))
    _forget_replaced(db, jobs, now)
    begun = _days_with_slots(db, jobs, since=now.date())
    rows = [
        row
        for job in jobs
        for row in _new_slots(job, known, now, look_back)
        if row["is_silence"] or (job.job_id, row["day"]) not in begun
    ]
    added = db.execute(insert(JobSlot).on_conflict_do_nothing().returning(JobSlot.job_id), rows).all() if rows else []
    skip_slots(db, jobs, known, now=now)
    _note_until(db, jobs, now)
    return len(added)


def _forget_replaced(db: Session, jobs: Sequence[WatchedJob], now: datetime) -> None:
    """Take away slots to come: the schedule in force may say otherwise by now. A begun day keeps all of its own."""
    for zone in {job.zone for job in jobs}:
        ids = [job.job_id for job in jobs if job.zone == zone]
        today = now.astimezone(zone).date()
        db.execute(delete(JobSlot).where(JobSlot.job_id.in_(ids), JobSlot.is_silence, JobSlot.state.in_(OPEN)))
        to_come = (JobSlot.job_id.in_(ids), JobSlot.slot_at > now - NEAR, JobSlot.day > today)
        db.execute(delete(JobSlot).where(*to_come, ~_has_begun(now)))


def _has_begun(now: datetime) -> Exists:
    """Whether a run of that day could have come by now."""
    same = aliased(JobSlot)
    of_day = (same.job_id == JobSlot.job_id, same.day == JobSlot.day)
    return exists().where(*of_day, or_(same.early_from <= now, same.run_id.is_not(None))).correlate(JobSlot)


def _days_with_slots(db: Session, jobs: Sequence[WatchedJob], *, since: date) -> set[tuple[int, date]]:
    ids = [job.job_id for job in jobs]
    first = since - timedelta(days=1)
    begin = datetime.combine(first, time.min, UTC) - NEAR
    query = select(JobSlot.job_id, JobSlot.day).where(
        JobSlot.job_id.in_(ids), JobSlot.slot_at > begin, JobSlot.day >= first, ~JobSlot.is_silence
    )
    return {(row[0], row[1]) for row in db.execute(query)}


def _new_slots(job: WatchedJob, known: Exceptions, now: datetime, look_back: int) -> Iterator[dict[str, Any]]:
    if job.known.sleeps:
        return
    if not job.known.lanes:
        yield from _silence(job)
        return
    schedule = schedule_of(job.known.lanes, job.known.confidence)
    today = job.today(now)
    first = max(_first_day(job, today), today - timedelta(days=look_back), job.live_from or date.min)
    grace = allowed_grace(schedule, job.known.grace_minutes) if job.known.grace_minutes is not None else None
    for day in (first + timedelta(days=number) for number in range((today - first).days + AHEAD + 1)):
        for slot in schedule.slots_on(day.toordinal(), job.zone):
            # Nobody is told on the day on which a schedule is learned that he should have run before.
            is_first_day = job.known.slots_until is None and day == today
            if not is_first_day or slot.at - slot.early > now.timestamp():
                yield _row(job, slot, day, known.why(job, day, as_datetime(slot.at)), grace)


def _first_day(job: WatchedJob, today: date) -> date:
    """Return the first day that may lack slots: of one whose slots were made, the day after the last of them."""
    if job.known.slots_until is None:
        return today
    return min(job.known.slots_until, today) + timedelta(days=1)


def _row(job: WatchedJob, slot: Slot, day: date, why: str, grace: int | None) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "slot_at": as_datetime(slot.at),
        "day": day,
        "early_from": as_datetime(slot.at - slot.early),
        "deadline": as_datetime(slot.deadline if grace is None else slot.at + 60 * grace),
        "is_silence": False,
        "state": SlotState.SKIPPED if why else SlotState.EXPECTED,
        "why": why,
    }


def _silence(job: WatchedJob) -> Iterator[dict[str, Any]]:
    if job.last_run_at is None or job.known.silence_minutes is None:
        return
    ends = job.last_run_at + timedelta(minutes=job.known.silence_minutes)
    for over in (job.known.paused_until, job.known.watched_from):  # what is still silent after that is news
        ends = max(ends, over) if over is not None else ends
    if job.live_from is not None:
        ends = max(ends, datetime.combine(job.live_from, time.min, job.zone))
    yield {
        "job_id": job.job_id,
        "slot_at": ends,
        "day": ends.astimezone(job.zone).date(),
        "early_from": job.last_run_at + timedelta(microseconds=1),
        "deadline": ends,
        "is_silence": True,
        "state": SlotState.EXPECTED,
        "why": "",
    }


def _note_until(db: Session, jobs: Sequence[WatchedJob], now: datetime) -> None:
    for zone in {job.zone for job in jobs}:
        until = now.astimezone(zone).date() + timedelta(days=AHEAD)
        ids = [job.job_id for job in jobs if job.zone == zone and job.known.lanes]
        db.execute(update(JobSchedule).where(JobSchedule.job_id.in_(ids)).values(slots_until=until))
