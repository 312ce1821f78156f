"""Learns the schedules of jobs from their runs, a range of jobs at once. What is in force is never thinned out here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.domain.schedule import Schedule, ScheduleKind, as_datetime
from shared.domain.schedule_course import Course, expects_less, same_days, walk
from shared.domain.schedule_json import lanes_to_json, schedule_from_json, schedule_of, schedule_to_json
from shared.domain.silence import longest_silence
from shared.domain.slot_state import ScheduleMode
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import JobSchedule, JobSlot
from shared.models.system import SystemSettings
from shared.services.watched_jobs import ARRIVED, is_watched

LOOK_BACK = timedelta(days=400)  # longer than the learner's own, so that what was in force long ago still counts
IRREGULAR_FROM = 8  # runs
_DECISION = (JobSchedule.mode, JobSchedule.decided_at, JobSchedule.accepted_at, JobSchedule.declined)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A job whose runs teach."""

    job_id: int
    zone: ZoneInfo
    known: JobSchedule | None


def learn_schedules(db: Session, job_ids: Sequence[int], *, now: datetime) -> int:
    """Learn anew for those of these jobs that have schedules at all; return for how many the one in force changed."""
    rules = db.get_one(SystemSettings, 1)
    watched = _watched(db, job_ids, ZoneInfo(rules.ui_time_zone))
    moments = _moments(db, [each.job_id for each in watched], since=now - LOOK_BACK)
    rows, slots = [], []
    for job in watched:
        runs = moments.get(job.job_id, [])
        course = walk(runs, job.zone, now.timestamp(), floor=rules.grace_floor_minutes, accepted=_accepted(job.known))
        rows.append(_row(job, course, runs, rules, now))
        if job.known is None or (job.known.slots_until is None and not job.known.sleeps):
            slots += _slots_so_far(job, course, now, look_back=timedelta(days=rules.missed_look_back_days))
    decided = _decided_meanwhile(db, watched)
    rows = [row for row in rows if row["job_id"] not in decided]
    before = {job.job_id: job for job in watched}
    changed = [before[row["job_id"]] for row in rows if _lanes_of(before[row["job_id"]].known) != row["lanes"]]
    _store(db, rows)
    _have_slots_made_anew(db, changed, now)
    if slots := [slot for slot in slots if slot["job_id"] not in decided]:
        db.execute(insert(JobSlot).on_conflict_do_nothing(), slots)
    return len(changed)


def _watched(db: Session, job_ids: Sequence[int], default: ZoneInfo) -> list[_Watched]:
    query = (
        select(Job.id, Customer.time_zone, JobSchedule)
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(JobSchedule, JobSchedule.job_id == Job.id)
        .where(Job.id.in_(job_ids), *is_watched())
        .order_by(Job.id)
    )
    return [_Watched(row[0], ZoneInfo(row[1]) if row[1] else default, row[2]) for row in db.execute(query)]


def _moments(db: Session, job_ids: Sequence[int], *, since: datetime) -> dict[int, list[float]]:
    """Return when each job ran, ascending, as seconds since the epoch."""
    query = (
        select(JobRun.job_id, func.array_agg(func.extract("epoch", JobRun.run_at)))
        .where(JobRun.job_id.in_(job_ids), JobRun.source.in_(ARRIVED), JobRun.run_at >= since)
        .group_by(JobRun.job_id)
    )
    return {row[0]: sorted(map(float, row[1])) for row in db.execute(query)}


def _accepted(known: JobSchedule | None) -> tuple[Schedule, float] | None:
    """Return what is in force since a person accepted it: the runs before then still show what he gave up."""
    if known is None or known.accepted_at is None or not known.lanes:
        return None
    return schedule_of(known.lanes, known.confidence), known.accepted_at.timestamp()


def _decided_meanwhile(db: Session, watched: Sequence[_Watched]) -> set[int]:
    """Lock the schedules, and return the jobs of which a person decided something since they were read.

    Learning holds no lock while it thinks, and what it found without knowing of the decision is of no use.
    """
    seen = {job.job_id: [getattr(job.known, each.key) for each in _DECISION] for job in watched if job.known}
    query = select(JobSchedule.job_id, *_DECISION).where(JobSchedule.job_id.in_([job.job_id for job in watched]))
    rows = db.execute(query.order_by(JobSchedule.job_id).with_for_update())
    return {job_id for job_id, *decision in rows if seen.get(job_id) != decision}


def _slots_so_far(job: _Watched, course: Course, now: datetime, *, look_back: timedelta) -> list[dict[str, Any]]:
    """Return the slots of the look-back that the schedule known at each moment expected, up to today's.

    A job that is learned for the first time may have a history: its last days are judged as if we had been here.
    """
    today = now.astimezone(job.zone).date()
    expected = [each.slot for each in course.matching.judged if each.slot.at >= (now - look_back).timestamp()]
    return [
        {
            "job_id": job.job_id,
            "slot_at": as_datetime(slot.at),
            "day": date.fromordinal(slot.day),
            "early_from": as_datetime(slot.at - slot.early),
            "deadline": as_datetime(slot.deadline),
        }
        for slot in expected
        if date.fromordinal(slot.day) <= today
    ]


def _row(job: _Watched, course: Course, runs: Sequence[float], rules: SystemSettings, now: datetime) -> dict[str, Any]:
    in_force, proposal = _decided(job.known, course)
    silence = longest_silence(
        runs, factor=rules.silence_factor, least=rules.silence_min_days, most=rules.silence_max_days
    )
    return {
        "job_id": job.job_id,
        "lanes": lanes_to_json(in_force.lanes) if in_force else [],
        "confidence": in_force.confidence if in_force else None,
        "kind": in_force.kind if in_force else _kind_without(runs),
        "proposal": schedule_to_json(proposal) if proposal else None,
        "learned_at": now if runs else None,
        "learned_from": as_datetime(runs[0]) if runs else None,
        "learned_until": as_datetime(runs[-1]) if runs else None,
        "learned_runs": len(runs),
        "silence_minutes": None if in_force else round(silence.total_seconds() / 60),
    }


def _decided(known: JobSchedule | None, course: Course) -> tuple[Schedule | None, Schedule | None]:
    """Return the schedule in force and what is proposed instead.

    What a person decided stays. What was learned is replaced by what expects as much, and given up where the job
    turned out to run by chance; what expects less is a proposal.
    """
    kept = schedule_of(known.lanes, known.confidence) if known and known.lanes else None
    if known is not None and known.mode is not ScheduleMode.LEARNED:
        return (kept if known.mode is ScheduleMode.PINNED else None), None
    found, declined = course.schedule, known.declined if known else None
    if kept is None:
        return found, _worth_proposing(course.proposal, found, declined)
    if course.was_mistaken_since(known.learned_at.timestamp() if known and known.learned_at else 0.0):
        return found, None
    if found is None or expects_less(found, kept):
        return kept, _worth_proposing(found or course.proposal, kept, declined)
    return found, _worth_proposing(course.proposal, found, declined)


def _worth_proposing(
    proposal: Schedule | None, in_force: Schedule | None, declined: Mapping[str, Any] | None
) -> Schedule | None:
    if proposal is None or in_force is None or not expects_less(proposal, in_force):
        return None
    return None if declined and same_days(schedule_from_json(declined), proposal) else proposal


def _kind_without(runs: Sequence[float]) -> ScheduleKind:
    return ScheduleKind.IRREGULAR if len(runs) >= IRREGULAR_FROM else ScheduleKind.UNKNOWN


def _lanes_of(known: JobSchedule | None) -> list[dict[str, Any]]:
    return known.lanes if known else []


def _have_slots_made_anew(db: Session, changed: Sequence[_Watched], now: datetime) -> None:
    """Let the days to come have slots of the schedule that is in force now."""
    for zone in {job.zone for job in changed}:
        ids = [job.job_id for job in changed if job.zone == zone]
        until = func.least(JobSchedule.slots_until, now.astimezone(zone).date())
        again = update(JobSchedule).where(JobSchedule.job_id.in_(ids), JobSchedule.slots_until.is_not(None))
        db.execute(again.values(slots_until=until).execution_options(synchronize_session=False))


def _store(db: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    add = insert(JobSchedule)
    learned = {name: add.excluded[name] for name in rows[0] if name != "job_id"}
    db.execute(add.on_conflict_do_update(index_elements=[JobSchedule.job_id], set_=learned), list(rows))
    db.expire_all()
