"""A person says that runs count as success though something was wrong: an override of these runs and their review."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from shared.domain.override_words import OverrideLevel
from shared.domain.overrides import NEVER_CAME
from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.models.overrides import Override
from shared.models.troubled_runs import is_troubled
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput
from shared.services.review_runs import Reviewed, Seen, review_runs


def mark_success(db: Session, seen: Sequence[Seen], *, reason: str, actor: Actor, now: datetime) -> Reviewed:
    """Review the runs that still are what was seen, and let those that aren't good count as success.

    It holds as long as the review does. Raise BadInput without a reason.
    """
    if not reason.strip():
        raise BadInput("Say why these runs count as success.", field="reason")
    done = review_runs(db, seen, actor=actor, now=now, reason=reason)
    by_job = _not_good(db, done.run_ids)
    for runs in by_job.values():
        _override(db, runs, reason=reason.strip(), actor=actor, now=now)
    if by_job:
        marked = sorted(row.id for runs in by_job.values() for row in runs)
        facts = {"runs": marked, "reason": reason.strip()}
        record_act(
            db, actor, "runs.marked_success", subject_type="review", subject_id=done.review_id, after=facts, now=now
        )
    return done


_Run = Row[int, int, Status, datetime]


def _not_good(db: Session, run_ids: Sequence[int]) -> dict[int, list[_Run]]:
    """Return those of the runs that nothing covers yet, by job."""
    found: dict[int, list[_Run]] = defaultdict(list)
    query = select(JobRun.id, JobRun.job_id, JobRun.status, JobRun.run_at)
    for row in db.execute(query.where(JobRun.id.in_(run_ids), is_troubled(), JobRun.override_id.is_(None))):
        found[row.job_id].append(row)
    return found


def _override(db: Session, runs: Sequence[_Run], *, reason: str, actor: Actor, now: datetime) -> None:
    statuses = {row.status for row in runs}
    row = Override(
        level=OverrideLevel.RUN,
        job_id=runs[0].job_id,
        covers_failed=Status.FAILED in statuses,
        covers_missed=bool(statuses & NEVER_CAME),
        covers_unreadable=Status.UNREADABLE in statuses,
        starts_at=now,
        reason=reason,
        created_by=actor.person_id,
        created_at=now,
        hits=len(runs),
        last_hit_at=max(run.run_at for run in runs),
    )
    db.add(row)
    db.flush()  # its runs point at it
    values = {"override_id": row.id, "overridden_at": now, "verdict_version": JobRun.verdict_version + 1}
    db.execute(update(JobRun).where(JobRun.id.in_([run.id for run in runs])).values(values))
