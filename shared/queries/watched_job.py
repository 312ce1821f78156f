"""What is known of a job's times: what its schedule card shows, and what a preview of a correction is made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from shared.domain.backtest import BackTest, backtest, backtest_silence, with_grace
from shared.domain.correction import Watch
from shared.domain.run import RunSource
from shared.domain.schedule import Schedule, Slot, as_datetime
from shared.domain.schedule_json import schedule_of
from shared.domain.silence import longest_silence
from shared.domain.slot_state import OPEN, SlotState
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import ClosedDay, JobSchedule, JobSlot
from shared.models.system import SystemSettings

NEXT = 5
TRIED = timedelta(days=90)  # how far a back-test looks back
TAUGHT = timedelta(days=400)  # how far learning looks back
_ARRIVED = (RunSource.MAIL, RunSource.PUSHED)
_FARTHEST = 500  # days; the fifth of a month that has it comes within them


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A slot to come, and why nothing will be expected at it."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """A slot that is made already."""

    slot_at: datetime
    day: date
    early_from: datetime
    state: SlotState
    why: str
    run_id: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchedJob:
    """A job's runs (seconds since the epoch, ascending) and slots, and the days on which nothing is expected of it."""

    known: JobSchedule | None
    zone: ZoneInfo
    rules: SystemSettings
    moments: Sequence[float]
    closed: Mapping[date, str]
    skipped_days: frozenset[date]
    kept: Sequence[_Kept]
    now: datetime

    @property
    def watch(self) -> Watch:
        if self.known is None:
            return Watch()
        lanes = self.known.lanes
        return Watch(
            mode=self.known.mode,
            schedule=schedule_of(lanes, self.known.confidence) if lanes else None,
            own_grace=self.known.grace_minutes,
            sleeps=self.known.sleeps,
        )

    @property
    def silence(self) -> timedelta:
        """The longest silence that nobody is told of, where there is no schedule."""
        rules = self.rules
        return longest_silence(
            self.moments, factor=rules.silence_factor, least=rules.silence_min_days, most=rules.silence_max_days
        )

    def tried(self, watch: Watch) -> BackTest | None:
        """Return what a way of watching would have raised; None for a device that sleeps, which has no slots."""
        until = self.now.timestamp()
        start = until - TRIED.total_seconds()
        if watch.sleeps:
            return None
        if watch.schedule is None:
            return backtest_silence(self.moments, self.silence, start=start, until=until)
        schedule = with_grace(watch.schedule, watch.own_grace)
        return backtest(schedule, self.moments, self.zone, start=start, until=until, is_skipped=self._is_skipped)

    def upcoming(self, watch: Watch, *, anew: bool = False) -> tuple[Upcoming, ...]:
        """Return the next slots. When they are made anew only a day that has begun keeps those that it has."""
        today = self.now.astimezone(self.zone).date()
        begun = {each.day for each in self.kept if each.day <= today or self._has_begun(each)}
        kept = [each for each in self.kept if not anew or each.day in begun]
        made_until = self.known.slots_until if self.known and self.known.slots_until and not anew else today
        after = (
            slot
            for slot in self._by(None if watch.sleeps else watch.schedule, after=max(made_until, today))
            if date.fromordinal(slot.day) not in begun
        )
        return tuple(islice(self._merged(kept, after), NEXT))

    def why_skipped(self, day: date, at: datetime) -> str:
        """Return why nothing is expected then, empty when something is."""
        if day in self.closed:
            return f"closed: {self.closed[day]}"
        return f"paused: {self.known.pause_reason}" if self.known and self._is_paused(at) else ""

    def _by(self, schedule: Schedule | None, *, after: date) -> Iterator[Slot]:
        if schedule is not None:
            for day in range(after.toordinal() + 1, after.toordinal() + _FARTHEST):
                yield from schedule.slots_on(day, self.zone)

    def _merged(self, kept: Iterable[_Kept], after: Iterable[Slot]) -> Iterator[Upcoming]:
        coming = [each for each in kept if each.slot_at > self.now and each.state in {*OPEN, SlotState.SKIPPED}]
        for each in sorted(coming, key=lambda each: each.slot_at):
            yield Upcoming(each.slot_at, each.why if each.state is SlotState.SKIPPED else "")
        for slot in after:
            at = as_datetime(slot.at)
            yield Upcoming(at, self.why_skipped(date.fromordinal(slot.day), at))

    def _has_begun(self, slot: _Kept) -> bool:
        return slot.early_from <= self.now or slot.run_id is not None

    def _is_skipped(self, slot: Slot) -> bool:
        day = date.fromordinal(slot.day)
        return day in self.skipped_days or bool(self.why_skipped(day, as_datetime(slot.at)))

    def _is_paused(self, at: datetime) -> bool:
        known = self.known
        return bool(known and known.paused_at and known.paused_until and known.paused_at <= at < known.paused_until)


def watched_job(db: Session, job_id: int, *, now: datetime, look_back: timedelta = TAUGHT) -> WatchedJob:
    """Return what is known of a job's times."""
    rules = db.get_one(SystemSettings, 1)
    owner = select(Customer.id, Customer.time_zone).join(Job, Job.customer_id == Customer.id).where(Job.id == job_id)
    customer_id, own_zone = db.execute(owner).one()
    zone = ZoneInfo(own_zone or rules.ui_time_zone)
    since = now.astimezone(zone).date() - TRIED
    return WatchedJob(
        known=db.get(JobSchedule, job_id),
        zone=zone,
        rules=rules,
        moments=_moments(db, job_id, since=now - look_back),
        closed=_closed(db, job_id, customer_id, since=since),
        skipped_days=_skipped_days(db, job_id, since=since),
        kept=_kept(db, job_id, since=now - timedelta(days=1)),
        now=now,
    )


def _moments(db: Session, job_id: int, *, since: datetime) -> list[float]:
    """Return when the job ran since then, and before those its very first run."""
    arrived = (JobRun.job_id == job_id, JobRun.source.in_(_ARRIVED))
    epoch = func.extract("epoch", JobRun.run_at)
    recent = [float(each) for each in db.scalars(select(epoch).where(*arrived, JobRun.run_at >= since))]
    first = db.scalar(select(func.min(epoch)).where(*arrived))
    return sorted({*recent, float(first)}) if first is not None else []


def _closed(db: Session, job_id: int, customer_id: int, *, since: date) -> dict[date, str]:
    query = select(ClosedDay.day, ClosedDay.name).where(
        ClosedDay.day >= since, or_(ClosedDay.customer_id == customer_id, ClosedDay.job_id == job_id)
    )
    # The job's own day has the last word.
    return {row[0]: row[1] for row in db.execute(query.order_by(ClosedDay.job_id.nulls_first()))}


def _skipped_days(db: Session, job_id: int, *, since: date) -> frozenset[date]:
    """Return the days of pauses that are forgotten by now."""
    skipped = (JobSlot.job_id == job_id, JobSlot.day >= since, JobSlot.state == SlotState.SKIPPED)
    return frozenset(db.scalars(select(JobSlot.day).where(*skipped)))


def _kept(db: Session, job_id: int, *, since: datetime) -> list[_Kept]:
    columns = (JobSlot.slot_at, JobSlot.day, JobSlot.early_from, JobSlot.state, JobSlot.why, JobSlot.run_id)
    query = select(*columns).where(JobSlot.job_id == job_id, JobSlot.slot_at >= since, ~JobSlot.is_silence)
    return [_Kept(*row) for row in db.execute(query)]
