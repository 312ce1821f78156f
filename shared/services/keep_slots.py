"""Keeps the slots of jobs a few days ahead of time, and up to now after a pause of our own.

A day that has begun keeps its slots: a new schedule is in force from the next day on. Without a schedule there is one
slot, where the maximum silence runs out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Exists, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from shared.domain.reading import Kind
from shared.domain.run import RunSource
from shared.domain.schedule import LONGEST_GRACE, Schedule, Slot, as_datetime
from shared.domain.schedule_json import schedule_of
from shared.domain.slot_state import OPEN, SlotState
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import ClosedDay, JobSchedule, JobSlot
from shared.models.system import SystemSettings

AHEAD = 3  # days


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """A job whose slots are kept."""

    job_id: int
    customer_id: int
    zone: ZoneInfo
    known: JobSchedule
    last_run_at: datetime | None


def keep_slots(db: Session, job_ids: Sequence[int], *, now: datetime) -> int:
    """Bring the slots of these jobs up to a few days from now; return how many were added. Harmless to repeat."""
    rules = db.get_one(SystemSettings, 1)
    kept = _kept(db, job_ids, ZoneInfo(rules.ui_time_zone))
    closed = _closed_days(db, kept, since=now.date() - timedelta(days=rules.missed_look_back_days + 2))
    _forget_replaced(db, kept, now)
    begun = _days_with_slots(db, kept, since=now.date())
    rows = [
        row
        for job in kept
        for row in _new_slots(job, closed, now, rules.missed_look_back_days)
        if row["is_silence"] or (job.job_id, row["day"]) not in begun
    ]
    added = db.execute(insert(JobSlot).on_conflict_do_nothing().returning(JobSlot.job_id), rows).all() if rows else []
    _note_until(db, kept, now)
    return len(added)


def _kept(db: Session, job_ids: Sequence[int], default: ZoneInfo) -> list[_Kept]:
    came = (
        select(func.max(JobRun.run_at))
        .where(JobRun.job_id == Job.id, JobRun.source.in_((RunSource.MAIL, RunSource.PUSHED)))
        .scalar_subquery()
    )
    query = (
        select(Job.id, Job.customer_id, Customer.time_zone, JobSchedule, came)
        .join(Customer, Customer.id == Job.customer_id)
        .join(JobSchedule, JobSchedule.job_id == Job.id)
        .where(Job.id.in_(job_ids), Job.kind == Kind.REGULAR, Job.archived_at.is_(None), Customer.active)
        .order_by(Job.id)
        .execution_options(populate_existing=True)
    )
    return [
        _Kept(
            job_id=row[0],
            customer_id=row[1],
            zone=ZoneInfo(row[2]) if row[2] else default,
            known=row[3],
            last_run_at=row[4],
        )
        for row in db.execute(query)
    ]


def _closed_days(db: Session, kept: Sequence[_Kept], *, since: date) -> dict[tuple[str, int, date], str]:
    """Return the names of closed days by whose they are ("customer" or "job", its id) and the day."""
    customers, jobs = {job.customer_id for job in kept}, {job.job_id for job in kept}
    query = select(ClosedDay.customer_id, ClosedDay.job_id, ClosedDay.day, ClosedDay.name).where(
        ClosedDay.day >= since, or_(ClosedDay.customer_id.in_(customers), ClosedDay.job_id.in_(jobs))
    )
    rows = db.execute(query)
    return {("customer", row[0], row[2]) if row[0] else ("job", row[1] or 0, row[2]): row[3] for row in rows}


def _forget_replaced(db: Session, kept: Sequence[_Kept], now: datetime) -> None:
    """Take away slots to come: the schedule in force may say otherwise by now. A begun day keeps all of its own."""
    for zone in {job.zone for job in kept}:
        today = now.astimezone(zone).date()
        ids = [job.job_id for job in kept if job.zone == zone]
        db.execute(delete(JobSlot).where(JobSlot.job_id.in_(ids), JobSlot.is_silence, JobSlot.state.in_(OPEN)))
        db.execute(delete(JobSlot).where(JobSlot.job_id.in_(ids), JobSlot.day > today, ~_has_begun(now)))


def _has_begun(now: datetime) -> Exists:
    """Whether a run of that day could have come by now."""
    same = aliased(JobSlot)
    of_day = (same.job_id == JobSlot.job_id, same.day == JobSlot.day)
    return exists().where(*of_day, or_(same.early_from <= now, same.run_id.is_not(None))).correlate(JobSlot)


def _days_with_slots(db: Session, kept: Sequence[_Kept], *, since: date) -> set[tuple[int, date]]:
    ids = [job.job_id for job in kept]
    query = select(JobSlot.job_id, JobSlot.day).where(
        JobSlot.job_id.in_(ids), JobSlot.day >= since - timedelta(days=1), ~JobSlot.is_silence
    )
    return {(row[0], row[1]) for row in db.execute(query)}


def _new_slots(
    job: _Kept, closed: dict[tuple[str, int, date], str], now: datetime, look_back: int
) -> Iterator[dict[str, Any]]:
    if job.known.sleeps:
        return
    if not job.known.lanes:
        yield from _silence(job)
        return
    schedule = schedule_of(job.known.lanes, job.known.confidence)
    today = now.astimezone(job.zone).date()
    # Nobody is told on the day on which a schedule is learned that he should have run before.
    first = min(job.known.slots_until or today, today) + timedelta(days=1)
    first = max(first, today - timedelta(days=look_back))
    for day in (first + timedelta(days=number) for number in range((today - first).days + AHEAD + 1)):
        for slot in schedule.slots_on(day.toordinal(), job.zone):
            yield _row(job, slot, day, closed, _grace(job, schedule))


def _grace(job: _Kept, schedule: Schedule) -> float | None:
    """Return an operator's own grace in seconds, as far as the way to the next slot allows."""
    if job.known.grace_minutes is None:
        return None
    narrowest = min(schedule.gap_after(number) for number in range(len(schedule.lanes)))
    return 60.0 * min(job.known.grace_minutes, narrowest / 2, LONGEST_GRACE)


def _row(
    job: _Kept, slot: Slot, day: date, closed: dict[tuple[str, int, date], str], grace: float | None
) -> dict[str, Any]:
    why = closed.get(("job", job.job_id, day)) or closed.get(("customer", job.customer_id, day)) or ""
    at = as_datetime(slot.at)
    if not why and _is_paused(job.known, at):
        why = f"paused: {job.known.pause_reason}" if job.known.pause_reason else "paused"
    return {
        "job_id": job.job_id,
        "slot_at": at,
        "day": day,
        "early_from": as_datetime(slot.at - slot.early),
        "deadline": as_datetime(slot.deadline if grace is None else slot.at + grace),
        "is_silence": False,
        "state": SlotState.SKIPPED if why else SlotState.EXPECTED,
        "why": why,
    }


def _is_paused(known: JobSchedule, at: datetime) -> bool:
    return bool(known.paused_at and known.paused_until and known.paused_at <= at < known.paused_until)


def _silence(job: _Kept) -> Iterator[dict[str, Any]]:
    if job.last_run_at is None or job.known.silence_minutes is None:
        return
    ends = job.last_run_at + timedelta(minutes=job.known.silence_minutes)
    if job.known.paused_until and job.known.paused_at and job.known.paused_at <= ends:
        ends = max(ends, job.known.paused_until)
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


def _note_until(db: Session, kept: Sequence[_Kept], now: datetime) -> None:
    for zone in {job.zone for job in kept}:
        until = now.astimezone(zone).date() + timedelta(days=AHEAD)
        ids = [job.job_id for job in kept if job.zone == zone and job.known.lanes]
        db.execute(update(JobSchedule).where(JobSchedule.job_id.in_(ids)).values(slots_until=until))
