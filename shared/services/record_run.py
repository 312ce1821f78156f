"""The only door through which a run comes into being, whatever caused it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, bindparam, exists, insert, select, update
from sqlalchemy.dialects.postgresql import insert as on_conflict_insert
from sqlalchemy.orm import Session, aliased

from shared.db.base import table_of
from shared.domain.run import MatchedBy, RunSource
from shared.domain.run_facts import RunFacts, instant
from shared.domain.slot_state import SlotState
from shared.domain.status import Status, badness, worst
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, VanishedObject
from shared.models.schedules import JobSlot
from shared.models.system import SystemSettings
from shared.services.vanished import add_findings, look_again_later, vanished_objects


def record_mail_run(
    db: Session, job_id: int, *, reading_id: int, matched_by: MatchedBy, run_at: datetime, facts: RunFacts
) -> int:
    """Create the run of a mail's reading and return its id. The schema lets a reading have one run only."""
    return _record(
        db, job_id, source=RunSource.MAIL, run_at=run_at, facts=facts, reading_id=reading_id, matched_by=matched_by
    )


def record_missed_run(db: Session, job_id: int, *, slot_at: datetime, message: str) -> int | None:
    """Create the run that says that nothing came for a slot, dated at the slot; None when the slot has its run."""
    _lock_job(db, job_id, run_at=slot_at)
    run = {
        "job_id": job_id,
        "source": RunSource.MISSED,
        "run_at": slot_at,
        "slot_at": slot_at,
        "raw_status": Status.MISSED,
        "status": Status.MISSED,
        "message": message,
        "is_placed": True,
    }
    run_id: int | None = db.scalar(_ADD_MISSED, run)
    return run_id


def record_overdue_run(db: Session, job_id: int, *, passed_at: datetime, days: int, message: str) -> int | None:
    """Create the run that says that a device that sleeps lacks a good backup; None while another one waits."""
    run = {
        "job_id": job_id,
        "source": RunSource.OVERDUE,
        "run_at": passed_at,
        "overdue_days": days,
        "raw_status": Status.OVERDUE,
        "status": Status.OVERDUE,
        "message": message,
        "is_placed": True,
    }
    run_id: int | None = db.scalar(_ADD_OVERDUE, run)
    return run_id


def _record(
    db: Session,
    job_id: int,
    *,
    source: RunSource,
    run_at: datetime,
    facts: RunFacts,
    reading_id: int | None = None,
    matched_by: MatchedBy | None = None,
) -> int:
    zone, missed_id = _lock_job(db, job_id, run_at=run_at)
    listed = [thing.name for thing in facts.objects]
    gone = vanished_objects(db, job_id, listed, before=run_at) if facts.objects_complete else []
    run = {
        "job_id": job_id,
        "source": source,
        "reading_id": reading_id,
        "matched_by": matched_by,
        "run_at": run_at,
        "raw_status": facts.status,
        "status": verdict(facts.status, gone),
        "message": facts.message or _absence(gone),
        "started_at": instant(facts.started_at, zone),
        "ended_at": instant(facts.ended_at, zone),
        "size_bytes": facts.size_bytes,
    }
    run_id, came_late = db.execute(_ADD_RUN, run).one() if missed_id is None else _answer(db, missed_id, run)
    add_findings(db, run_id, gone)
    if came_late and facts.objects_complete:
        for later_id in look_again_later(db, job_id, after=run_at):
            judge_again(db, later_id)
    return int(run_id)


def _answer(db: Session, missed_id: int, run: Mapping[str, Any]) -> tuple[int, bool]:
    """Let the mail that came after all take over its missed run, which keeps its slot and what is linked to it.

    One that was reviewed stays as it is: then the mail makes a run of its own, which points at it and awaits review.
    """
    missed = db.get_one(JobRun, missed_id, with_for_update=True, populate_existing=True)
    slot = (JobSlot.job_id == missed.job_id, JobSlot.slot_at == missed.slot_at)
    deadline = db.scalar(select(JobSlot.deadline).where(*slot))
    is_late = deadline is None or run["run_at"] > deadline  # it may have waited in the inbox instead
    answer = {**run, "is_late": is_late, "is_placed": True}
    if missed.reviewed_at is None:
        taken = {**answer, "silence_id": None, "verdict_version": missed.verdict_version + 1}
        db.execute(update(JobRun).where(JobRun.id == missed_id).values(taken))
        run_id = missed_id
    else:
        run_id = db.scalars(_ADD_LATE, {**answer, "slot_at": missed.slot_at, "late_for_id": missed_id}).one()
    state = SlotState.LATE if is_late else SlotState.ARRIVED
    db.execute(update(JobSlot).where(*slot).values(state=state, run_id=run_id))
    return run_id, True


def lock_jobs(db: Session, job_ids: Iterable[int]) -> None:
    """Lock several jobs in one order, so that two mails about the same jobs never wait for each other in a ring."""
    db.execute(select(Job.id).where(Job.id.in_(job_ids)).order_by(Job.id).with_for_update(key_share=True))


def judge_again(db: Session, run_id: int) -> bool:
    """Give the run the verdict that its open findings leave; return whether that is another one.

    A run that gets worse is to be reviewed again.
    """
    run = db.get_one(JobRun, run_id, with_for_update=True, populate_existing=True)
    open_findings = select(VanishedObject.name, VanishedObject.type).where(
        VanishedObject.run_id == run_id, VanishedObject.confirmed_at.is_(None)
    )
    gone = [(name, kind) for name, kind in db.execute(open_findings.order_by(VanishedObject.name))]
    status = verdict(run.raw_status, gone)
    if status is run.status:
        return False
    if badness(status) > badness(run.status):
        run.reviewed_at = run.reviewed_by = run.review_id = None
    run.status, run.verdict_version = status, run.verdict_version + 1
    run.message = run.message or _absence(gone)
    return True


def verdict(raw: Status, findings: Sequence[object]) -> Status:
    """Return what a run counts as: an unconfirmed vanished object makes it a warning at least."""
    return worst((raw, Status.WARNING)) if findings else raw


def _absence(gone: Sequence[tuple[str, str]]) -> str:
    return f"no longer in the report: {', '.join(name for name, _ in gone[:5])}" if gone else ""


def _lock_job(db: Session, job_id: int, *, run_at: datetime) -> tuple[ZoneInfo, int | None]:
    """Let the job's runs come in one after the other, because each is judged by those before.

    Return its zone, and the missed run that a run at `run_at` answers: of the last slot that it could be for.
    """
    customers_zone, default, missed_id = db.execute(_LOCKED, {"job_id": job_id, "at": run_at}).one()
    return ZoneInfo(customers_zone or default), missed_id


_runs = table_of(JobRun)
_later = _runs.alias("later")
_ADD_RUN = insert(table_of(JobRun)).returning(
    _runs.c.id, exists().where(_later.c.job_id == _runs.c.job_id, _later.c.run_at > _runs.c.run_at)
)
_ADD_LATE = insert(_runs).returning(_runs.c.id)
_ADD_MISSED = _ADD_OVERDUE = on_conflict_insert(_runs).on_conflict_do_nothing().returning(_runs.c.id)
_missed, _answer_to = aliased(JobRun), aliased(JobRun)
_own_slot, _next_slot = aliased(JobSlot), aliased(JobSlot)
_at: BindParameter[datetime] = bindparam("at", type_=_runs.c.run_at.type)
_could_be_its_own = exists().where(
    _own_slot.job_id == _missed.job_id, _own_slot.slot_at == _missed.slot_at, _own_slot.early_from <= _at
)
_is_next_ones = exists().where(
    _next_slot.job_id == _missed.job_id, _next_slot.slot_at > _missed.slot_at, _next_slot.early_from <= _at
)
_ANSWERED = (
    select(_missed.id)
    .where(
        _missed.job_id == Job.id,
        _missed.source == RunSource.MISSED,
        _could_be_its_own,
        ~_is_next_ones,
        ~exists().where(_answer_to.late_for_id == _missed.id),
    )
    .order_by(_missed.slot_at.desc())
    .limit(1)
    .correlate(Job)
    .scalar_subquery()
)
_LOCKED = (
    select(Customer.time_zone, select(SystemSettings.ui_time_zone).scalar_subquery(), _ANSWERED)
    .join(Job, Job.customer_id == Customer.id)
    .where(Job.id == bindparam("job_id"))
    .with_for_update(of=Job, key_share=True)
)
