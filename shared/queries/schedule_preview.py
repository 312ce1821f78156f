"""What a correction of a schedule would change, before anybody makes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from shared.domain.backtest import BackTest, GraceRange, grace_range, with_grace
from shared.domain.correction import Correction, Relearn, Watch, corrected
from shared.domain.falls_away import falls_away
from shared.domain.schedule import Schedule, as_datetime, describe
from shared.domain.schedule_course import walk
from shared.domain.schedule_json import schedule_from_json
from shared.domain.slot_state import ScheduleMode
from shared.domain.watch_version import watch_version
from shared.queries.watched_job import Upcoming, WatchedJob, watched_job


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One way of watching a job, that of today or that of tomorrow.

    `asked_grace` is what an operator asks for where less is applied. Without a description the silence counts.
    """

    mode: ScheduleMode
    description: str
    grace: GraceRange | None
    asked_grace: int | None
    sleeps: bool
    silence: timedelta
    next_slots: Sequence[Upcoming]
    tried: BackTest | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What changes. `falls_away` has a sentence for each silence that nobody would report any more."""

    zone: ZoneInfo
    before: Side
    after: Side
    falls_away: Sequence[str]
    overdue_days: int
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PausePreview:
    """The slots that a pause would skip: how many, and the first of them."""

    zone: ZoneInfo
    number: int
    first: Sequence[datetime]
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CurrentWatch:
    """How a job is watched, and which day it is where it runs."""

    watch: Watch
    today: date

    @property
    def in_force(self) -> Schedule | None:
        """The schedule with the grace that is applied."""
        return with_grace(self.watch.schedule, self.watch.own_grace) if self.watch.schedule else None


def preview(db: Session, job_id: int, correction: Correction, *, now: datetime) -> Preview:
    """Return what a correction would change. Raise NothingToCorrect."""
    job = watched_job(db, job_id, now=now)
    known, before = job.known, job.watch
    learned = _learned(job) if isinstance(correction, Relearn) else None
    proposal = schedule_from_json(known.proposal) if known and known.proposal else None
    after = corrected(before, correction, proposal=proposal, learned=learned)
    return Preview(
        zone=job.zone,
        before=_side(job, before, anew=False),
        after=_side(job, after, anew=True),
        falls_away=falls_away(_effective(after), _effective(before)),
        overdue_days=job.rules.overdue_days,
        version=watch_version(known),
    )


def preview_pause(db: Session, job_id: int, resumes_on: date, *, now: datetime) -> PausePreview:
    """Return what a pause from now to the beginning of a day would skip."""
    job = watched_job(db, job_id, now=now)
    until = datetime.combine(resumes_on, time.min, job.zone)
    schedule = _effective(job.watch)
    days = range(now.astimezone(job.zone).toordinal() - 1, resumes_on.toordinal() + 2) if schedule else ()
    moments = [as_datetime(slot.at) for day in days for slot in schedule.slots_on(day, job.zone)] if schedule else []
    skipped = [at for at in moments if now <= at < until]
    return PausePreview(zone=job.zone, number=len(skipped), first=skipped[:5], version=watch_version(job.known))


def current_watch(db: Session, job_id: int, *, now: datetime) -> CurrentWatch:
    job = watched_job(db, job_id, now=now, look_back=timedelta())
    return CurrentWatch(watch=job.watch, today=now.astimezone(job.zone).date())


def _learned(job: WatchedJob) -> Schedule | None:
    return walk(job.moments, job.zone, job.now.timestamp(), floor=job.rules.grace_floor_minutes).schedule


def _effective(watch: Watch) -> Schedule | None:
    return None if watch.sleeps else watch.schedule


def _side(job: WatchedJob, watch: Watch, *, anew: bool) -> Side:
    in_force = with_grace(watch.schedule, watch.own_grace) if watch.schedule else None
    applied, asked = grace_range(in_force), _asked_grace(watch)
    return Side(
        mode=watch.mode,
        description=describe(in_force) if in_force else "",
        grace=applied,
        asked_grace=asked if asked and applied and asked > applied.least else None,
        sleeps=watch.sleeps,
        silence=job.silence,
        next_slots=job.upcoming(watch, anew=anew),
        tried=job.tried(watch),
    )


def _asked_grace(watch: Watch) -> int | None:
    """Return the grace that a person wants, None where it was learned."""
    if watch.own_grace is not None or watch.schedule is None or watch.mode is not ScheduleMode.PINNED:
        return watch.own_grace
    return max(lane.grace for lane in watch.schedule.lanes)
