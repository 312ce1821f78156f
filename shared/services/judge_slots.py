"""Says of each slot whether its run came, and makes the missed run of one for which none did.

A slot is judged only when all mails up to its deadline are known to be in: an outage of our own is never a customer's
missed backup. Until then it is *not judged*.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from shared.db.base import table_of
from shared.domain.learn_schedule import SESSION_GAP
from shared.domain.mailflow import Ending, Source
from shared.domain.run import RunSource
from shared.domain.schedule import Slot
from shared.domain.slot_matching import Judged, match_slots
from shared.domain.slot_state import OPEN, WITH_RUN, SlotState
from shared.models.jobs import JobKeyRow, JobRun
from shared.models.mail import MailMessage, MailReading
from shared.models.schedules import JobSlot
from shared.models.system import SystemSettings
from shared.services.mail_coverage import coverage
from shared.services.record_run import lock_jobs, record_missed_run

HELD_FOR = timedelta(hours=24)  # a waiting mail that could be the run
BEFORE_FIRST = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ran:
    """A run that arrived."""

    run_id: int
    at: float


@dataclass(slots=True)
class Judgement:
    """What judging changed."""

    judged: int = 0
    missed: int = 0
    held: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What is known of the range of jobs."""

    slots: Mapping[int, Sequence[JobSlot]]
    runs: Mapping[int, Sequence[_Ran]]
    covered: Mapping[int, datetime | None]
    candidates: Mapping[int, Sequence[tuple[int, datetime]]]


def judge_slots(db: Session, job_ids: Sequence[int], *, now: datetime) -> Judgement:
    """Judge the slots of these jobs within the look-back. Harmless to repeat, in parallel too: the jobs are locked."""
    lock_jobs(db, job_ids)
    since = now - timedelta(days=db.get_one(SystemSettings, 1).missed_look_back_days)
    known = _known(db, job_ids, since)
    done = Judgement()
    for job_id, slots in known.slots.items():
        _judge_job(db, job_id, slots, known, now, done)
    _note_placed(db, job_ids, until=now)
    return done


def _known(db: Session, job_ids: Sequence[int], since: datetime) -> _Known:
    slots: dict[int, list[JobSlot]] = defaultdict(list)
    query = select(JobSlot).where(JobSlot.job_id.in_(job_ids), JobSlot.deadline >= since).order_by(JobSlot.slot_at)
    for slot in db.scalars(query.execution_options(populate_existing=True)):
        slots[slot.job_id].append(slot)
    runs: dict[int, list[_Ran]] = defaultdict(list)
    arrived = select(JobRun.job_id, JobRun.id, JobRun.run_at).where(
        JobRun.job_id.in_(slots),
        JobRun.source.in_((RunSource.MAIL, RunSource.PUSHED)),
        JobRun.run_at >= since - BEFORE_FIRST,
    )
    for job_id, run_id, run_at in db.execute(arrived.order_by(JobRun.run_at, JobRun.id)):
        runs[job_id].append(_Ran(run_id=run_id, at=run_at.timestamp()))
    sources = _sources(db, list(slots))
    reached = {source: coverage(db, source) for source in set(sources.values())}
    covered = {job_id: reached[source] for job_id, source in sources.items()}
    return _Known(slots=slots, runs=runs, covered=covered, candidates=_candidates(db, list(slots), since))


def _sources(db: Session, job_ids: Sequence[int]) -> dict[int, Source]:
    """Return how the last mail of each job came in."""
    query = (
        select(JobRun.job_id, MailMessage.source)
        .ext(distinct_on(JobRun.job_id))
        .join(MailReading, MailReading.id == JobRun.reading_id)
        .join(MailMessage, MailMessage.id == MailReading.mail_id)
        .where(JobRun.job_id.in_(job_ids), MailMessage.source.in_((Source.GRAPH, Source.FOLDER)))
        .order_by(JobRun.job_id, JobRun.run_at.desc())
    )
    return {row[0]: row[1] for row in db.execute(query)}


def _candidates(db: Session, job_ids: Sequence[int], since: datetime) -> dict[int, list[tuple[int, datetime]]]:
    """Return the mails in the inbox that could be a run of a job, by job: (mail id, when it was received)."""
    query = (
        select(JobKeyRow.job_id, MailMessage.id, MailMessage.received_at)
        .distinct()
        .select_from(MailReading)
        .join(MailMessage, MailMessage.id == MailReading.mail_id)
        .join(JobKeyRow, JobKeyRow.from_address == MailReading.from_address_key)
        .where(
            JobKeyRow.job_id.in_(job_ids),
            MailReading.outcome == Ending.INBOX,
            MailMessage.received_at >= since,
            or_(MailReading.job_name.is_(None), func.lower(MailReading.job_name) == JobKeyRow.job_name),
            or_(
                MailReading.backup_software.is_(None),
                func.lower(MailReading.backup_software) == JobKeyRow.backup_software,
            ),
        )
    )
    found: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    for job_id, mail_id, received_at in db.execute(query):
        found[job_id].append((mail_id, received_at))
    return found


def _judge_job(
    db: Session, job_id: int, slots: Sequence[JobSlot], known: _Known, now: datetime, done: Judgement
) -> None:
    runs = known.runs.get(job_id, ())
    by_moment = {ran.at: ran.run_id for ran in runs}
    of_slot = {slot.slot_at.timestamp(): slot for slot in slots}
    matched = match_slots(map(_as_slot, slots), (ran.at for ran in runs), session_gap=_session_gap(slots))
    for judged in matched:
        slot = of_slot[judged.slot.at]
        if judged.run is not None:
            _note_arrival(slot, judged, by_moment[judged.run], done)
        elif slot.state in OPEN and slot.deadline < now:
            _judge_silence(db, slot, known, now, done)


def _as_slot(slot: JobSlot) -> Slot:
    at = slot.slot_at.timestamp()
    return Slot(at, slot.deadline.timestamp(), at - slot.early_from.timestamp(), 0, slot.day.toordinal())


def _session_gap(slots: Sequence[JobSlot]) -> float:
    """Return the seconds within which another run is a further attempt: an hour, or less where slots are close."""
    moments = [slot.slot_at.timestamp() for slot in slots]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    return min([60 * SESSION_GAP, *(gap / 4 for gap in gaps)])


def _note_arrival(slot: JobSlot, judged: Judged, run_id: int, done: Judgement) -> None:
    if slot.state is SlotState.MISSED or (slot.state in WITH_RUN and slot.run_id == run_id):
        return  # a missed run is answered when its mail comes, not here
    if slot.state is not SlotState.SKIPPED:
        slot.state = SlotState.LATE if judged.is_late else SlotState.ARRIVED
        slot.run_id, slot.why = run_id, ""
        done.judged += 1


def _judge_silence(db: Session, slot: JobSlot, known: _Known, now: datetime, done: Judgement) -> None:
    covered = known.covered.get(slot.job_id)
    candidate = _candidate(slot, known.candidates.get(slot.job_id, ()))
    if covered is None or covered <= slot.deadline:
        _hold(slot, "the mails of that time are not in yet", done)
    elif candidate is not None and now < slot.deadline + HELD_FOR:
        slot.candidate_id = candidate
        _hold(slot, "a mail in the inbox may be its run", done)
    else:
        slot.candidate_id = candidate
        _miss(db, slot, done)


def _candidate(slot: JobSlot, mails: Iterable[tuple[int, datetime]]) -> int | None:
    return next((mail_id for mail_id, received in mails if received >= slot.early_from), None)


def _hold(slot: JobSlot, why: str, done: Judgement) -> None:
    slot.state, slot.why = SlotState.NOT_JUDGED, why
    done.held += 1


def _miss(db: Session, slot: JobSlot, done: Judgement) -> None:
    message = "silent for longer than ever expected" if slot.is_silence else "no report came"
    run_id = record_missed_run(db, slot.job_id, slot_at=slot.slot_at, message=message)
    slot.state, slot.why = SlotState.MISSED, ""
    slot.run_id = run_id or db.scalar(_RUN_OF_SLOT, {"job_id": slot.job_id, "slot_at": slot.slot_at})
    done.missed += run_id is not None


def _note_placed(db: Session, job_ids: Sequence[int], *, until: datetime) -> None:
    """Remember which runs were looked at: only new ones are a reason to look again."""
    fresh = (JobRun.job_id.in_(job_ids), ~JobRun.is_placed, JobRun.run_at <= until)
    db.execute(update(JobRun).where(*fresh).values(is_placed=True).execution_options(synchronize_session=False))


_runs = table_of(JobRun)
_RUN_OF_SLOT = select(_runs.c.id).where(
    _runs.c.job_id == bindparam("job_id"), _runs.c.slot_at == bindparam("slot_at"), _runs.c.late_for_id.is_(None)
)
