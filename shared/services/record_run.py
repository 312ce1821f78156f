"""The only door through which a run comes into being, whatever caused it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Executable, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as on_conflict_insert
from sqlalchemy.orm import Session

from shared.db.base import table_of
from shared.domain.run import MatchedBy, RunSource
from shared.domain.run_facts import RunFacts, instant
from shared.domain.slot_state import SlotState
from shared.domain.status import NOTHING_WRONG, Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, VanishedObject
from shared.models.schedules import JobSlot
from shared.models.system import SystemSettings
from shared.services.apply_overrides import apply_overrides
from shared.services.join_attempts import join_attempts
from shared.services.judge_run import absence, judge_later, verdict
from shared.services.link_tickets import link_open_tickets, look_again_at
from shared.services.run_surroundings import ANSWERED, HAS_COMPANY, with_surroundings
from shared.services.vanished import add_findings, vanished_objects


def record_mail_run(
    db: Session, job_id: int, *, reading_id: int, matched_by: MatchedBy, run_at: datetime, facts: RunFacts
) -> int:
    """Give a mail's reading its run, of its own or as an attempt of another; return the run that shows it.

    The schema lets a reading have one run only.
    """
    return _record(
        db, job_id, source=RunSource.MAIL, run_at=run_at, facts=facts, reading_id=reading_id, matched_by=matched_by
    )


def record_missed_run(db: Session, job_id: int, *, slot_at: datetime, message: str) -> int | None:
    """Create the run that says that nothing came for a slot, dated at the slot; None when the slot has its run."""
    _lock_job(db, job_id)
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
    return _add_silence(db, job_id, _ADD_MISSED, run)


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
    return _add_silence(db, job_id, _ADD_OVERDUE, run)


def _add_silence(db: Session, job_id: int, add: Executable, run: Mapping[str, object]) -> int | None:
    run_id: int | None = db.scalar(add, run)
    if run_id is not None:
        link_open_tickets(db, job_id, run_id)
        apply_overrides(db, [run_id], is_new=True)
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
    zone, go_live_at = _lock_job(db, job_id)
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
        "message": facts.message or absence(gone),
        "started_at": instant(facts.started_at, zone),
        "ended_at": instant(facts.ended_at, zone),
        "size_bytes": facts.size_bytes,
        "is_history": go_live_at is not None and run_at < go_live_at,
    }
    run_id, came_late, has_neighbours, has_missed, is_ticketed, has_overrides = db.execute(_ADD_RUN, run).one()
    add_findings(db, run_id, gone)
    if has_neighbours and db.scalar(HAS_COMPANY, {"new_run": run_id}):
        joined = join_attempts(db, job_id, run_id, go_live_at=go_live_at)
        if joined is not None:
            if is_ticketed and not db.scalar(select(JobRun.is_history).where(JobRun.id == joined)):
                link_open_tickets(db, job_id, joined)
            return joined
    if has_missed and (missed_id := db.scalar(ANSWERED, {"new_run": run_id})) is not None:
        run_id = _answer(db, missed_id, run_id, run)
    if is_ticketed and not run["is_history"]:
        link_open_tickets(db, job_id, run_id)
    if has_overrides and run["status"] not in NOTHING_WRONG:
        apply_overrides(db, [run_id], is_new=True)
    if came_late and facts.objects_complete:
        judge_later(db, job_id, after=run_at)
    return int(run_id)


def _answer(db: Session, missed_id: int, run_id: int, run: Mapping[str, Any]) -> int:
    """Let the mail that came after all take over its missed run, which keeps its slot and what is linked to it.

    One that was reviewed stays as it is: then the mail keeps a run of its own, which points at it and awaits review.
    Return the run that carries the mail.
    """
    missed = db.get_one(JobRun, missed_id, with_for_update=True, populate_existing=True)
    slot = (JobSlot.job_id == missed.job_id, JobSlot.slot_at == missed.slot_at)
    deadline = db.scalar(select(JobSlot.deadline).where(*slot))
    is_late = deadline is None or run["run_at"] > deadline  # it may have waited in the inbox instead
    late = {"is_late": is_late, "is_placed": True}
    if missed.reviewed_at is None:
        db.execute(update(VanishedObject).where(VanishedObject.run_id == run_id).values(run_id=missed_id))
        db.execute(delete(JobRun).where(JobRun.id == run_id))
        taken = {**run, **late, "silence_id": None, "verdict_version": missed.verdict_version + 1}
        taken |= {"override_id": None, "overridden_at": None}
        db.execute(update(JobRun).where(JobRun.id == missed_id).values(taken))
        look_again_at(db, missed_id)
        run_id = missed_id
    else:
        points_back = {**late, "slot_at": missed.slot_at, "late_for_id": missed_id}
        db.execute(update(JobRun).where(JobRun.id == run_id).values(points_back))
    state = SlotState.LATE if is_late else SlotState.ARRIVED
    db.execute(update(JobSlot).where(*slot).values(state=state, run_id=run_id))
    return run_id


def lock_jobs(db: Session, job_ids: Iterable[int]) -> None:
    """Lock several jobs in one order, so that two mails about the same jobs never wait for each other in a ring."""
    db.execute(select(Job.id).where(Job.id.in_(job_ids)).order_by(Job.id).with_for_update(key_share=True))


def _lock_job(db: Session, job_id: int) -> tuple[ZoneInfo, datetime | None]:
    """Let the job's runs come in one after the other, because each is judged by those before.

    Return its zone, and the moment before which its runs are history.
    """
    customers_zone, default, go_live_on = db.execute(_LOCKED, {"job_id": job_id}).one()
    zone = ZoneInfo(customers_zone or default)
    return zone, datetime.combine(go_live_on, time.min, zone) if go_live_on else None


_runs = table_of(JobRun)
_LOCKED = (
    select(
        Customer.time_zone,
        select(SystemSettings.ui_time_zone).scalar_subquery(),
        func.coalesce(Customer.go_live_on, select(SystemSettings.go_live_on).scalar_subquery()),
    )
    .join(Job, Job.customer_id == Customer.id)
    .where(Job.id == bindparam("job_id"))
    .with_for_update(of=Job, key_share=True)
)

_COLUMNS = (
    "job_id source reading_id matched_by run_at raw_status status message started_at ended_at size_bytes is_history"
).split()
_ADD_RUN = with_surroundings(
    insert(_runs)
    .values({name: bindparam(name, type_=_runs.c[name].type) for name in _COLUMNS})
    .returning(_runs.c.id, _runs.c.job_id, _runs.c.run_at)
    .cte("added")
)
_ADD_MISSED = _ADD_OVERDUE = on_conflict_insert(_runs).on_conflict_do_nothing().returning(_runs.c.id)
