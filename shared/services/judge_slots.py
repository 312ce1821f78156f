"""Says of each slot whether its run came, and makes the missed run of one for which none did.

A slot is judged only when all mails up to its deadline are known to be in: an outage of our own is never a customer's
missed backup. Until then it is *not judged*.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from shared.domain.learn_schedule import SESSION_GAP
from shared.domain.schedule import LONGEST_GRACE, Slot
from shared.domain.slot_matching import match_slots
from shared.domain.slot_state import OPEN, SlotState
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import JobSchedule, JobSlot
from shared.models.system import SystemSettings
from shared.services.change_slots import Change, change_slots
from shared.services.judge_silence import Silent, judge_silence
from shared.services.place_runs import place_runs
from shared.services.record_run import lock_jobs
from shared.services.watched_jobs import ARRIVED, is_watched

BEFORE_FIRST = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """How many slots got another state, became missed runs, or wait to be judged."""

    judged: int = 0
    missed: int = 0
    held: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Slot:
    slot_at: datetime
    day: int
    early_from: datetime
    deadline: datetime
    is_silence: bool
    state: SlotState
    run_id: int | None


@dataclass(frozen=True, slots=True)
class _Runs:
    """The runs of a job that arrived, by their moment, and the slots that a late one of them took for good."""

    ids: dict[float, int]
    answered: frozenset[datetime]


_NO_RUNS = _Runs({}, frozenset())
_SETTLED = frozenset({SlotState.MISSED, SlotState.SKIPPED})


def judge_slots(db: Session, job_ids: Sequence[int], *, now: datetime) -> Judgement:
    """Judge the slots of these jobs within the look-back. Harmless to repeat, in parallel too: the jobs are locked.

    Jobs that are not watched any more are left alone: since somebody asked for it they may have been archived.
    """
    lock_jobs(db, job_ids)
    job_ids = _watched(db, job_ids)
    _note_recovered(db, job_ids, now)
    since = now - timedelta(days=db.get_one(SystemSettings, 1).missed_look_back_days)
    slots, runs = _slots(db, job_ids, since), _runs(db, job_ids, since - BEFORE_FIRST)
    changes: list[Change] = []
    silent: list[Silent] = []
    moved: set[int] = set()
    for job_id, of_job in slots.items():
        for slot, state, run_id in _matched(of_job, runs.get(job_id, _NO_RUNS)):
            if run_id != slot.run_id:
                changes.append(Change(job_id, slot.slot_at, state, run_id=run_id))
                moved.update(each for each in (slot.run_id, run_id) if each is not None)
            if run_id is None and slot.deadline < now:
                silent.append(Silent(job_id, slot.slot_at, slot.early_from, slot.deadline, slot.is_silence))
    late = {each.run_id for each in changes if each.state is SlotState.LATE and each.run_id is not None}
    place_runs(db, job_ids, late=late, not_late=moved - late, until=now)
    change_slots(db, changes)
    held, missed = judge_silence(db, silent, now=now)
    return Judgement(judged=len(changes), missed=missed, held=held)


def _watched(db: Session, job_ids: Sequence[int]) -> list[int]:
    watched = select(Job.id).join(Customer, Customer.id == Job.customer_id).where(Job.id.in_(job_ids), *is_watched())
    return list(db.scalars(watched))


def _slots(db: Session, job_ids: Sequence[int], since: datetime) -> Mapping[int, list[_Slot]]:
    found: dict[int, list[_Slot]] = defaultdict(list)
    slots = select(
        JobSlot.job_id,
        JobSlot.slot_at,
        JobSlot.day,
        JobSlot.early_from,
        JobSlot.deadline,
        JobSlot.is_silence,
        JobSlot.state,
        JobSlot.run_id,
    ).where(JobSlot.job_id.in_(job_ids))
    # Each part has its index, so that the slots of years are not looked at. A maximum silence is judged however old it
    # is: no other slot would follow it.
    begin = since - timedelta(minutes=LONGEST_GRACE)
    recent = slots.where(JobSlot.slot_at >= begin, JobSlot.deadline >= since)
    older = slots.where(JobSlot.is_silence, JobSlot.state.in_(OPEN), JobSlot.deadline < since)
    query = recent.union_all(older).order_by("job_id", "slot_at")
    for job_id, slot_at, day, early_from, deadline, is_silence, state, run_id in db.execute(query):
        slot = _Slot(
            slot_at=slot_at,
            day=day.toordinal(),
            early_from=early_from,
            deadline=deadline,
            is_silence=is_silence,
            state=state,
            run_id=run_id,
        )
        found[job_id].append(slot)
    return found


def _runs(db: Session, job_ids: Sequence[int], since: datetime) -> Mapping[int, _Runs]:
    ids: dict[int, dict[float, int]] = defaultdict(dict)
    answered: dict[int, set[datetime]] = defaultdict(set)
    query = (
        select(JobRun.job_id, JobRun.id, JobRun.run_at, JobRun.slot_at)
        .where(
            JobRun.job_id.in_(job_ids),
            JobRun.run_at >= since,
            JobRun.source.in_(ARRIVED),
            JobRun.attempt_of_id.is_(None),
        )
        .order_by(JobRun.job_id, JobRun.run_at.desc(), JobRun.id.desc())
    )
    for job_id, run_id, run_at, slot_at in db.execute(query):
        ids[job_id][run_at.timestamp()] = run_id
        if slot_at is not None:
            answered[job_id].add(slot_at)
    return {job_id: _Runs(of_job, frozenset(answered[job_id])) for job_id, of_job in ids.items()}


def _matched(slots: Sequence[_Slot], runs: _Runs) -> Iterator[tuple[_Slot, SlotState, int | None]]:
    """Yield the slots that can change, each with what it is by now and its run.

    A missed run is answered when its mail comes, not here; what was answered so stays, and so does what is skipped.
    """
    of_slot = {slot.slot_at.timestamp(): slot for slot in slots}
    for judged in match_slots(map(_as_slot, slots), runs.ids, session_gap=_session_gap(slots)):
        slot = of_slot[judged.slot.at]
        if slot.state in _SETTLED or slot.slot_at in runs.answered:
            continue
        if judged.run is None:
            yield slot, SlotState.EXPECTED, None
        else:
            yield slot, SlotState.LATE if judged.is_late else SlotState.ARRIVED, runs.ids[judged.run]


def _as_slot(slot: _Slot) -> Slot:
    at = slot.slot_at.timestamp()
    return Slot(at, slot.deadline.timestamp(), at - slot.early_from.timestamp(), 0, slot.day)


def _session_gap(slots: Sequence[_Slot]) -> float:
    """Return the seconds within which another run is a further attempt: an hour, or less where slots are close."""
    gaps = [(later.slot_at - earlier.slot_at).total_seconds() for earlier, later in pairwise(slots)]
    return min([60 * SESSION_GAP, *(gap / 4 for gap in gaps)])


def _note_recovered(db: Session, job_ids: Sequence[int], now: datetime) -> None:
    """A job that had stopped runs again, or is paused: its next silence is news."""
    # A mail that waited in the inbox may turn out to be the run of the very slot at which the job stopped.
    runs_again = exists().where(
        JobSlot.job_id == JobSchedule.job_id,
        JobSlot.slot_at == JobSchedule.stopped_at,
        JobRun.job_id == JobSchedule.job_id,
        JobRun.source.in_(ARRIVED),
        JobRun.run_at >= JobSlot.early_from,
    )
    stopped = (JobSchedule.job_id.in_(job_ids), JobSchedule.stopped_at.is_not(None))
    again = update(JobSchedule).where(*stopped, or_(runs_again, JobSchedule.paused_until > now))
    db.execute(again.values(stopped_at=None).execution_options(synchronize_session=False))
