"""What a job's schedule is, in words and moments: the card on its page, and `schedule_words` for other screens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from shared.domain.backtest import BackTest, GraceRange, grace_range, with_grace
from shared.domain.falls_away import falls_away
from shared.domain.schedule import Schedule, ScheduleKind, clock_time, describe
from shared.domain.schedule_json import schedule_from_json, schedule_of
from shared.domain.slot_state import ScheduleMode, SlotState
from shared.domain.watch_version import watch_version
from shared.models.schedules import JobSchedule, JobSlot
from shared.models.users import User
from shared.queries.watched_job import TRIED, Upcoming, watched_job


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """A job that rests."""

    until: datetime
    reason: str
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """When runs usually come: by the clock where there is one time a day, else around their times, in minutes."""

    clock: tuple[str, str] | None
    minutes: tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleCard:
    """How a job is watched. Without `description` it has no regular times, and `silence_ends` says when it must come.

    `slots` counts the last 90 days' slots by what became of them; `tried` is what the schedule in force would have
    made of the runs of these days. `version` names what is shown, for whoever decides by it.
    """

    mode: ScheduleMode
    kind: ScheduleKind
    zone: ZoneInfo
    description: str
    confidence: float | None
    grace: GraceRange | None
    own_grace: int | None
    usual_arrival: Arrival | None
    learned_runs: int
    learned_from: datetime | None
    learned_until: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    accepted_at: datetime | None
    next_slots: Sequence[Upcoming]
    proposal: str
    falls_away: Sequence[str]
    sleeps: bool
    overdue_days: int
    silence: timedelta
    silence_ends: datetime | None
    pause: Pause | None
    stopped_at: datetime | None
    slots: Mapping[SlotState, int]
    held_because: str
    tried: BackTest | None
    version: str


def job_schedule(db: Session, job_id: int, *, now: datetime) -> ScheduleCard | None:
    """Return how the job is watched, None for one that isn't, or that nobody has looked at yet."""
    job = watched_job(db, job_id, now=now, look_back=TRIED + timedelta(days=2))
    known, watch = job.known, job.watch
    if known is None:
        return None
    in_force = with_grace(watch.schedule, watch.own_grace) if watch.schedule else None
    tried = job.tried(watch)
    proposal = schedule_from_json(known.proposal) if known.proposal else None
    states = _states(db, job_id, now)
    decider, pauser = _names(db, job_id)
    return ScheduleCard(
        mode=known.mode,
        kind=known.kind,
        zone=job.zone,
        description=describe(in_force) if in_force else "",
        confidence=known.confidence,
        grace=grace_range(in_force),
        own_grace=known.grace_minutes,
        usual_arrival=_arrival(in_force, tried),
        learned_runs=known.learned_runs,
        learned_from=known.learned_from,
        learned_until=known.learned_until,
        decided_by=decider,
        decided_at=known.decided_at,
        accepted_at=known.accepted_at,
        next_slots=job.upcoming(watch),
        proposal=describe(proposal) if proposal else "",
        falls_away=falls_away(proposal, watch.schedule) if proposal else (),
        sleeps=known.sleeps,
        overdue_days=job.rules.overdue_days,
        silence=timedelta(minutes=known.silence_minutes) if known.silence_minutes else job.silence,
        silence_ends=None if known.lanes else db.scalar(_SILENCE_ENDS, {"of": job_id}),
        pause=_pause(known, pauser, now),
        stopped_at=known.stopped_at,
        slots={state: number for state, (number, _) in states.items()},
        held_because=states.get(SlotState.NOT_JUDGED, (0, ""))[1],
        tried=tried,
        version=watch_version(known),
    )


def schedule_words(db: Session, job_id: int) -> str:
    """Return how a job is watched in a few words, like "Mon–Fri at 22:05"; empty for one that nobody looked at yet."""
    known = db.get(JobSchedule, job_id)
    if known is None:
        return ""
    if known.sleeps:
        return "a device that sleeps"
    return describe(schedule_of(known.lanes, known.confidence))


def _states(db: Session, job_id: int, now: datetime) -> dict[SlotState, tuple[int, str]]:
    """Return how many slots there were of each state, and why one was skipped or isn't judged."""
    counted = (
        select(JobSlot.state, func.count(), func.max(JobSlot.why))
        .where(JobSlot.job_id == job_id, JobSlot.slot_at >= now - TRIED, JobSlot.slot_at <= now)
        .group_by(JobSlot.state)
    )
    return {row[0]: (row[1], row[2]) for row in db.execute(counted)}


def _names(db: Session, job_id: int) -> tuple[str | None, str | None]:
    """Return who decided about the schedule, and who paused the job."""
    decider, pauser = aliased(User), aliased(User)
    query = (
        select(_shown(decider), _shown(pauser))
        .select_from(JobSchedule)
        .outerjoin(decider, decider.id == JobSchedule.decided_by)
        .outerjoin(pauser, pauser.id == JobSchedule.paused_by)
        .where(JobSchedule.job_id == job_id)
    )
    found = db.execute(query).one()
    return found[0], found[1]


def _shown(user: type[User]) -> ColumnElement[str]:
    return func.coalesce(func.nullif(user.display_name, ""), user.username)


def _pause(known: JobSchedule, by: str | None, now: datetime) -> Pause | None:
    if known.paused_until is None or known.paused_until <= now:
        return None
    return Pause(until=known.paused_until, reason=known.pause_reason, by=by or "")


def _arrival(schedule: Schedule | None, tried: BackTest | None) -> Arrival | None:
    if schedule is None or tried is None or (minutes := tried.usual_arrival) is None:
        return None
    if len(schedule.lanes) > 1:
        return Arrival(clock=None, minutes=minutes)
    first, last = (clock_time(schedule.lanes[0].minute + each) for each in minutes)
    return Arrival(clock=(first, last), minutes=minutes)


_SILENCE_ENDS = select(func.max(JobSlot.deadline)).where(JobSlot.job_id == bindparam("of"), JobSlot.is_silence)
