"""Decides about slots whose grace is over and for which no run is known: missed, or not to be judged yet."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, or_, select, text, update
from sqlalchemy.orm import Session

from shared.db.base import table_of
from shared.domain.mailflow import Ending
from shared.domain.slot_state import SlotState
from shared.models.jobs import JobKeyRow, JobRun
from shared.models.mail import MailMessage, MailReading
from shared.models.schedules import JobSchedule, JobSlot
from shared.models.system import SystemSettings
from shared.services.change_slots import Change, change_slots
from shared.services.mail_coverage import coverage_of_jobs
from shared.services.record_run import record_missed_run
from shared.services.watched_jobs import ARRIVED

HELD_FOR = timedelta(hours=24)  # a waiting mail that could be the run


@dataclass(frozen=True, slots=True)
class Silent:
    """A slot past its grace without a run."""

    job_id: int
    slot_at: datetime
    early_from: datetime
    deadline: datetime
    is_silence: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What decides about the silent slots of a range of jobs. `silent_since` are slots, after the last run."""

    covered: Mapping[int, datetime | None]
    candidates: Mapping[int, Sequence[tuple[int, datetime]]]
    silent_since: dict[int, datetime]
    stopped_at: dict[int, datetime | None]
    stopped_after: timedelta

    def candidate(self, slot: Silent) -> int | None:
        """Return a mail in the inbox that may be the slot's run."""
        mails = self.candidates.get(slot.job_id, ())
        return next((mail_id for mail_id, received_at in mails if received_at >= slot.early_from), None)


def judge_silence(db: Session, silent: Sequence[Silent], *, now: datetime) -> tuple[int, int]:
    """Judge these slots, each job's in order of time; return how many wait, and how many missed runs were made."""
    if not silent:
        return 0, 0
    known = _known(db, silent)
    held, missed = [], []
    runs_made = 0
    for slot in silent:
        if (why := _why_not_yet(slot, known, now)) is not None:
            held.append(_change(slot, known, SlotState.NOT_JUDGED, why=why))
        elif known.stopped_at.get(slot.job_id):
            missed.append(_change(slot, known, SlotState.MISSED, why="stopped"))
        else:
            run_id, is_new = _missed_run(db, slot, known)
            missed.append(_change(slot, known, SlotState.MISSED, run_id=run_id))
            runs_made += is_new
    change_slots(db, held + missed)
    return len(held), runs_made


def _change(slot: Silent, known: _Known, state: SlotState, *, run_id: int | None = None, why: str = "") -> Change:
    return Change(slot.job_id, slot.slot_at, state, run_id=run_id, why=why, candidate_id=known.candidate(slot))


def _why_not_yet(slot: Silent, known: _Known, now: datetime) -> str | None:
    """Return why nobody can tell yet whether something came."""
    if slot.job_id not in known.covered:
        return "its reports were only ever uploaded by hand"
    covered = known.covered[slot.job_id]
    if covered is None or covered <= slot.deadline:
        return "the mails of that time are not in yet"
    if known.candidate(slot) is not None and now < slot.deadline + HELD_FOR:
        return "a mail in the inbox may be its run"
    return None


def _missed_run(db: Session, slot: Silent, known: _Known) -> tuple[int | None, bool]:
    """Return the missed run of the slot, and whether it was made now. A job that is silent for too long stops."""
    since = known.silent_since.setdefault(slot.job_id, slot.slot_at)
    stops = slot.slot_at - since >= known.stopped_after
    run_id = record_missed_run(db, slot.job_id, slot_at=slot.slot_at, message=_message(slot, known, stops=stops))
    if stops:
        known.stopped_at[slot.job_id] = slot.slot_at
        db.execute(update(JobSchedule).where(JobSchedule.job_id == slot.job_id).values(stopped_at=slot.slot_at))
    return run_id or db.scalar(_RUN_OF_SLOT, {"job_id": slot.job_id, "slot_at": slot.slot_at}), run_id is not None


def _message(slot: Silent, known: _Known, *, stops: bool) -> str:
    if stops:
        return f"stopped: no report for {known.stopped_after.days} days"
    return "silent for longer than ever expected" if slot.is_silence else "no report came"


def _known(db: Session, silent: Sequence[Silent]) -> _Known:
    job_ids = sorted({slot.job_id for slot in silent})
    schedules = select(JobSchedule.job_id, JobSchedule.stopped_at).where(JobSchedule.job_id.in_(job_ids))
    return _Known(
        covered=coverage_of_jobs(db, job_ids),
        candidates=_candidates(db, job_ids, since=min(slot.early_from for slot in silent)),
        silent_since=_silent_since(db, job_ids),
        stopped_at={row[0]: row[1] for row in db.execute(schedules)},
        stopped_after=timedelta(days=db.get_one(SystemSettings, 1).stopped_after_days),
    )


def _candidates(db: Session, job_ids: Sequence[int], *, since: datetime) -> dict[int, list[tuple[int, datetime]]]:
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


def _silent_since(db: Session, job_ids: Sequence[int]) -> dict[int, datetime]:
    """Return the first slot that each job missed after its last run."""
    last_run_at = select(func.max(JobRun.run_at)).where(JobRun.job_id == JobSlot.job_id, JobRun.source.in_(ARRIVED))
    query = (
        select(JobSlot.job_id, func.min(JobSlot.slot_at))
        .where(
            JobSlot.job_id.in_(job_ids),
            JobSlot.state == SlotState.MISSED,
            JobSlot.slot_at > func.coalesce(last_run_at.scalar_subquery(), text("'-infinity'::timestamptz")),
        )
        .group_by(JobSlot.job_id)
    )
    return {row[0]: row[1] for row in db.execute(query)}


_runs = table_of(JobRun)
_RUN_OF_SLOT = select(_runs.c.id).where(
    _runs.c.job_id == bindparam("job_id"), _runs.c.slot_at == bindparam("slot_at"), _runs.c.late_for_id.is_(None)
)
