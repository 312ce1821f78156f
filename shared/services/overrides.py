"""Adds, ends, extends and deletes overrides. What runs count as follows at once; their raw verdicts stay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from shared.domain.override_words import OverrideLevel
from shared.domain.overrides import Rule
from shared.domain.status import Status
from shared.domain.typed_override import MOST_DAYS, Draft
from shared.models.jobs import Job, JobRun
from shared.models.overrides import Override
from shared.models.troubled_runs import as_rule, in_reach, is_troubled, of_reach
from shared.services.apply_overrides import Applied, apply_overrides
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput, Conflict, NotAllowed, NotFound
from shared.services.record_run import lock_jobs


@dataclass(frozen=True, kw_only=True, slots=True)
class Added:
    """A new override, and how many runs that came before it count as success now."""

    override_id: int
    runs: int


def add_override(db: Session, draft: Draft, *, actor: Actor, may_edit_global: bool, now: datetime) -> Added:
    """Store an override; where that was asked for, runs of the last 90 days come under it too.

    Raise NotAllowed for a global one without that right, BadInput where its job is gone.
    """
    _refuse_global(draft.rule.level, may_edit_global=may_edit_global)
    rule = draft.looking_back(now) if draft.afterwards else draft.rule
    if rule.job_id is not None and db.get(Job, rule.job_id) is None:
        raise BadInput("This job doesn't exist (any more).", field="job_id")
    row = _row(rule, draft.reason, created_by=actor.person_id, now=now)
    db.add(row)
    db.flush()  # its runs point at it
    done = _reconsider(db, and_(is_troubled(), in_reach(rule)), now=now) if draft.afterwards else Applied()
    facts = {**_facts(row), "reason": draft.reason, "afterwards": draft.afterwards, "runs": list(done.gained)}
    _record(db, row.id, "override.added", facts, actor, now)
    return Added(override_id=row.id, runs=len(done.gained))


def end_override(db: Session, override_id: int, *, actor: Actor, may_edit_global: bool, now: datetime) -> None:
    """Switch an override off before its time: it is about no run that comes from now on, and stays with those it had.

    Raise NotFound, NotAllowed or Conflict.
    """
    row = _running(db, override_id, may_edit_global=may_edit_global, now=now)
    row.ended_at, row.ended_by = now, actor.person_id
    _record(db, override_id, "override.ended", {"would_have_ended": _iso(row.ends_at)}, actor, now)


def extend_override(
    db: Session, override_id: int, ends_at: datetime, *, actor: Actor, may_edit_global: bool, now: datetime
) -> None:
    """Give an override that is in force another end. Raise NotFound, NotAllowed, Conflict or BadInput."""
    row = _running(db, override_id, may_edit_global=may_edit_global, now=now)
    if not now < ends_at <= now + timedelta(days=MOST_DAYS + 1):
        raise BadInput("An override ends within a year.", field="ends_on")
    before, row.ends_at = row.ends_at, ends_at
    _record(db, override_id, "override.extended", {"ends_at": [_iso(before), _iso(ends_at)]}, actor, now)


def take_back_afterwards(
    db: Session, override_id: int, *, actor: Actor, may_edit_global: bool, now: datetime
) -> Applied:
    """Let an override be about no run that came before it. Raise NotFound, NotAllowed or Conflict."""
    _lock_jobs_of(db, override_id)
    row = _locked(db, override_id)
    _refuse_global(row.level, may_edit_global=may_edit_global)
    if row.starts_at >= row.created_at:
        raise Conflict("This override is about no run that came before it.")
    earlier = and_(in_reach(as_rule(row)), JobRun.run_at < row.created_at)
    row.starts_at = row.created_at
    db.flush()  # runs are judged by what is stored
    done = _reconsider(db, and_(earlier, JobRun.override_id.is_not(None)), now=now)
    _record(db, override_id, "override.taken_back", {"runs": list(done.lost)}, actor, now)
    return done


def delete_override(db: Session, override_id: int, *, actor: Actor, now: datetime) -> Applied:
    """Delete an override as if it had never been: its runs count as what they are. Raise NotFound.

    What was reviewed as a success in the last two weeks is to be reviewed again.
    """
    _lock_jobs_of(db, override_id)
    row = _locked(db, override_id)
    facts = {**_facts(row), "reason": row.reason, "hits": row.hits}
    had_it = or_(JobRun.override_id == override_id, and_(JobRun.override_id.is_not(None), in_reach(as_rule(row))))
    done = _reconsider(db, had_it, now=now, without=override_id)
    db.execute(delete(Override).where(Override.id == override_id))
    _record(db, override_id, "override.deleted", {**facts, "runs": list(done.lost)}, actor, now)
    return done


def _reconsider(db: Session, condition: ColumnElement[bool], *, now: datetime, without: int | None = None) -> Applied:
    """Let the runs of which this is true come under the overrides that there are, while no other comes in."""
    found = select(JobRun.id, JobRun.job_id).join(Job, Job.id == JobRun.job_id).where(condition)
    lock_jobs(db, {job_id for _, job_id in db.execute(found)})
    return apply_overrides(db, [run_id for run_id, _ in db.execute(found)], acted_at=now, without=without)


def _lock_jobs_of(db: Session, override_id: int) -> None:
    """Let no run come in that may take the override, as long as it changes. Jobs first: so do mails that hit it."""
    row = db.get(Override, override_id)
    if row is not None:
        lock_jobs(db, db.scalars(select(Job.id).where(of_reach(as_rule(row)))).all())


def _row(rule: Rule, reason: str, *, created_by: int, now: datetime) -> Override:
    return Override(
        level=rule.level,
        job_id=rule.job_id,
        object_name=rule.object_name,
        backup_software=rule.software,
        backup_type=rule.backup_type,
        status=rule.status,
        match_mode=rule.mode,
        match_text=rule.text,
        covers_failed=Status.FAILED in rule.covers,
        covers_missed=Status.MISSED in rule.covers,
        covers_unreadable=Status.UNREADABLE in rule.covers,
        starts_at=rule.starts_at,
        ends_at=rule.ends_at,
        reason=reason,
        created_by=created_by,
        created_at=now,
    )


def _running(db: Session, override_id: int, *, may_edit_global: bool, now: datetime) -> Override:
    row = _locked(db, override_id)
    _refuse_global(row.level, may_edit_global=may_edit_global)
    if row.ends_at is None:
        raise Conflict("This is about single runs: undo the review with which it was made.")
    if row.ended_at is not None or row.ends_at <= now:
        raise Conflict("This override is over. Make another one.")
    return row


def _refuse_global(level: OverrideLevel, *, may_edit_global: bool) -> None:
    if level is OverrideLevel.GLOBAL and not may_edit_global:
        raise NotAllowed("Only an administrator makes or changes overrides of all jobs.")


def _locked(db: Session, override_id: int) -> Override:
    row = db.get(Override, override_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("This override doesn't exist (any more).")
    return row


def _facts(row: Override) -> dict[str, object]:
    names = "job_id object_name backup_software backup_type match_text covers_failed covers_missed covers_unreadable"
    facts: dict[str, object] = {name: value for name in names.split() if (value := getattr(row, name))}
    facts |= {"level": row.level.value, "match_mode": row.match_mode.value, "ends_at": _iso(row.ends_at)}
    return {**facts, "status": row.status.value} if row.status else facts


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _record(
    db: Session, override_id: int, action: str, facts: Mapping[str, object], actor: Actor, now: datetime
) -> None:
    record_act(db, actor, action, subject_type="override", subject_id=override_id, after=facts, now=now)
