"""Watches devices that sleep: no slots, but one run once they have been without a good backup for too long.

The run escalates in place, a day at a time, and goes when a good backup comes. What a person reviewed stays; if the
device goes on without one for the limit's length, another run is raised.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Date, and_, cast, delete, exists, extract, func, or_, select, update
from sqlalchemy.orm import Session

from shared.domain.overdue import Lapse, Waiting, day_over, in_words, lapse
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import ClosedDay, JobSchedule
from shared.models.system import SystemSettings
from shared.services.apply_overrides import apply_overrides
from shared.services.mail_coverage import coverage_of_jobs
from shared.services.record_run import lock_jobs, record_overdue_run
from shared.services.skip_slots import Exceptions, exceptions
from shared.services.sleeping_devices import Device, select_devices, sleeping_devices, sleeping_jobs
from shared.services.watched_jobs import WatchedJob, watched_jobs


def keep_overdue(db: Session, job_ids: Sequence[int], *, now: datetime) -> int:
    """Raise, escalate and take away the overdue runs of these jobs; return how many changed. Harmless to repeat."""
    ids = sleeping_jobs(db, job_ids)
    if not ids:
        return 0
    lock_jobs(db, ids)
    limit = db.get_one(SystemSettings, 1).overdue_days
    devices = {device.job_id: device for device in sleeping_devices(db, ids) if _may_change(device, limit, now)}
    if not devices:
        return 0
    jobs = watched_jobs(db, list(devices))
    covered = coverage_of_jobs(db, list(devices))
    skipped = exceptions(db, jobs, since=min(device.since for device in devices.values()).date())
    changed = 0
    for job in jobs:
        device = devices[job.job_id]
        waiting = _waiting(device, job, covered.get(job.job_id), now)
        found = _lapse(waiting, job, skipped, limit) if waiting else None
        changed += _bring(db, device, found, limit)
    return changed


def due_overdue(now: datetime) -> ColumnElement[bool]:
    """Whether a `Job` may have an overdue run to be raised, escalated or taken away."""
    query = select_devices().join(SystemSettings, SystemSettings.id == 1)
    known = query.add_columns(
        Customer.id.label("customer_id"),
        SystemSettings.overdue_days.label("limit"),
        func.coalesce(Customer.time_zone, SystemSettings.ui_time_zone).label("zone"),
    )
    device = known.subquery("device").c
    local_now = func.timezone(device.zone, now)
    days = extract("day", local_now - func.timezone(device.zone, device.since))
    quiet_until = func.timezone(device.zone, device.reviewed_at) + func.make_interval(0, 0, 0, device.limit - 1)
    closed = exists().where(
        ClosedDay.day == cast(local_now, Date),
        or_(ClosedDay.job_id == device.job_id, ClosedDay.customer_id == device.customer_id),
    )
    paused = exists().where(
        JobSchedule.job_id == device.job_id, JobSchedule.paused_at <= now, JobSchedule.paused_until > now
    )
    waits, is_judged = device.run_id.is_not(None), ~or_(paused, closed)
    goes = and_(waits, or_(~device.sleeps, days < device.limit))
    grows = and_(waits, is_judged, days != device.days)
    comes = and_(~waits, is_judged, days >= device.limit, or_(device.reviewed_at.is_(None), quiet_until <= local_now))
    return Job.id.in_(select(device.job_id).where(or_(goes, grows, comes)))


def _may_change(device: Device, limit: int, now: datetime) -> bool:
    """Whether it is worth a closer look: a day may be an hour shorter than usual."""
    return device.run_id is not None or now - device.since >= timedelta(days=limit, hours=-1)


def _waiting(device: Device, job: WatchedJob, covered: datetime | None, now: datetime) -> Waiting | None:
    """Return what is proven of a device's silence, None where nothing is or nobody asks any more.

    What its run says was proven once, and stays so when a mail that cannot be imported takes coverage back.
    """
    said = day_over(device.since, device.days, job.zone) if device.days is not None else None
    proven = [moment for moment in (covered, said) if moment is not None]
    if not device.sleeps or not proven:
        return None
    return Waiting(since=device.since, proven_until=min(now, max(proven)), reviewed_at=device.reviewed_at)


def _lapse(waiting: Waiting, job: WatchedJob, skipped: Exceptions, limit: int) -> Lapse | None:
    def counts(moment: datetime) -> bool:
        return not skipped.why(job, moment.astimezone(job.zone).date(), moment)

    return lapse(waiting, limit=limit, zone=job.zone, counts=counts)


def _bring(db: Session, device: Device, found: Lapse | None, limit: int) -> bool:
    """Bring the waiting run of a device to what was found; return whether anything changed."""
    if found is None:
        return device.run_id is not None and _take_away(db, device.run_id)
    message = in_words(found.days, limit, was_ever_good=device.was_ever_good)
    if device.run_id is None:
        made = record_overdue_run(db, device.job_id, passed_at=found.passed_at, days=found.days, message=message)
        return made is not None
    if (device.passed_at, device.days) == (found.passed_at, found.days):
        return False
    return _escalate(db, device.run_id, found, message)


def _escalate(db: Session, run_id: int, found: Lapse, message: str) -> bool:
    """Say the new length in the run, as another version: who has the old one on screen has not seen this."""
    values = {
        "run_at": found.passed_at,
        "overdue_days": found.days,
        "message": message,
        "verdict_version": JobRun.verdict_version + 1,
    }
    still_waits = (JobRun.id == run_id, JobRun.reviewed_at.is_(None))
    if db.scalar(update(JobRun).where(*still_waits).values(values).returning(JobRun.id)) is None:
        return False
    apply_overrides(db, [run_id])
    return True


def _take_away(db: Session, run_id: int) -> bool:
    still_waits = (JobRun.id == run_id, JobRun.reviewed_at.is_(None))
    return db.scalar(delete(JobRun).where(*still_waits).returning(JobRun.id)) is not None
