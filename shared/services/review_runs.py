"""Takes runs off Run Checks: exactly those that somebody saw, as he saw them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from shared.domain.run import RunSource
from shared.domain.status import NEEDS_REASON
from shared.models.jobs import JobRun, Review, waits_for_review
from shared.models.tickets import is_explained
from shared.models.users import User
from shared.services.apply_overrides import apply_overrides
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput, Conflict, NotAllowed, NotFound
from shared.services.link_tickets import move_links
from shared.services.record_run import lock_jobs

UNDO_WINDOW = timedelta(minutes=10)

Seen = tuple[int, int]  # a run's id and its verdict version as they were on screen


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewed:
    """What a review did. `changed` runs stay open; `by_others` were reviewed by somebody faster."""

    review_id: int | None
    run_ids: tuple[int, ...]
    changed: tuple[int, ...] = ()
    by_others: tuple[tuple[int, str], ...] = ()


def review_runs(db: Session, seen: Sequence[Seen], *, actor: Actor, now: datetime, reason: str = "") -> Reviewed:
    """Review the runs in `seen` that still are what was seen; repeating it changes nothing more.

    Raise BadInput when one of them went wrong, has neither ticket nor remark, and no reason is given; then nothing is
    reviewed.
    """
    if not seen:
        raise BadInput("Select at least one run first.")
    still_as_seen = select(JobRun.id, JobRun.status, JobRun.override_id, is_explained()).where(
        tuple_(JobRun.id, JobRun.verdict_version).in_(sorted(set(seen))), waits_for_review()
    )
    open_runs = db.execute(still_as_seen.order_by(JobRun.id).with_for_update()).all()
    bad = [
        run_id
        for run_id, status, override_id, explained in open_runs
        if status in NEEDS_REASON and override_id is None and not explained
    ]
    if bad and not reason.strip():
        raise BadInput(f"{len(bad)} of these runs failed, never came or couldn't be read: say why that is all right.")
    run_ids = tuple(run_id for run_id, *_ in open_runs)
    review_id = _write(db, run_ids, actor=actor, now=now, reason=reason.strip()) if run_ids else None
    by_others = _reviewed_before(db, seen, run_ids)
    left = {run_id for run_id, _ in seen} - set(run_ids) - {run_id for run_id, _ in by_others}
    return Reviewed(review_id=review_id, run_ids=run_ids, changed=tuple(sorted(left)), by_others=by_others)


def undo_review(db: Session, review_id: int, *, actor: Actor, may_undo_any: bool, now: datetime) -> int:
    """Put the runs of a review back on Run Checks; return how many. Raise NotFound, NotAllowed or Conflict.

    Those that it marked as success count again as what they are.
    """
    review = db.get(Review, review_id, with_for_update=True, populate_existing=True)
    if review is None:
        raise NotFound("This review doesn't exist.")
    if not may_undo_any:
        if review.reviewed_by != actor.user_id:
            raise NotAllowed("Only an administrator undoes somebody else's review.")
        if now - review.reviewed_at > UNDO_WINDOW:
            raise NotAllowed("A review can be undone for ten minutes. Ask an administrator.")
    if review.undone_at is not None:
        raise Conflict("This review was undone already.")
    review.undone_at, review.undone_by = now, actor.person_id
    lock_jobs(db, db.scalars(select(JobRun.job_id).where(JobRun.review_id == review_id).distinct()).all())
    _take_away_newer_overdue(db, review_id)
    # In the order in which everybody locks runs.
    db.execute(select(JobRun.id).where(JobRun.review_id == review_id).order_by(JobRun.id).with_for_update())
    run_ids = db.scalars(
        update(JobRun)
        .where(JobRun.review_id == review_id)
        .values(reviewed_at=None, reviewed_by=None, review_id=None)
        .returning(JobRun.id)
    ).all()
    apply_overrides(db, run_ids, acted_at=now)
    record_act(
        db, actor, "review.undone", subject_type="review", subject_id=review_id, after={"runs": list(run_ids)}, now=now
    )
    return len(run_ids)


def _take_away_newer_overdue(db: Session, review_id: int) -> None:
    """Without the review there would be none: a device that sleeps has one overdue run that waits, and it grows.

    What is linked to the newer one is about the same silence.
    """
    of_review = (JobRun.review_id == review_id, JobRun.source == RunSource.OVERDUE)
    reopened = {job_id: run_id for run_id, job_id in db.execute(select(JobRun.id, JobRun.job_id).where(*of_review))}
    if not reopened:
        return
    lock_jobs(db, reopened)  # a tick may be about to raise one
    newer = (JobRun.job_id.in_(reopened), JobRun.source == RunSource.OVERDUE, JobRun.reviewed_at.is_(None))
    locked = select(JobRun.id, JobRun.job_id).where(*newer).order_by(JobRun.id).with_for_update()
    for run_id, job_id in db.execute(locked).all():
        move_links(db, run_id, reopened[job_id])
        db.execute(delete(JobRun).where(JobRun.id == run_id))


def _write(db: Session, run_ids: Sequence[int], *, actor: Actor, now: datetime, reason: str) -> int:
    review = Review(reviewed_at=now, reviewed_by=actor.person_id, reason=reason or None)
    db.add(review)
    db.flush()  # the runs need the review's id
    db.execute(
        update(JobRun)
        .where(JobRun.id.in_(run_ids))
        .values(reviewed_at=now, reviewed_by=actor.person_id, review_id=review.id)
    )
    record_act(
        db,
        actor,
        "runs.reviewed",
        subject_type="review",
        subject_id=review.id,
        after={"runs": list(run_ids), "reason": reason},
        now=now,
    )
    return review.id


def _reviewed_before(db: Session, seen: Sequence[Seen], ours: Sequence[int]) -> tuple[tuple[int, str], ...]:
    rest = {run_id for run_id, _ in seen} - set(ours)
    if not rest:
        return ()
    rows = db.execute(
        select(JobRun.id, func.coalesce(func.nullif(User.display_name, ""), User.username))
        .join(User, User.id == JobRun.reviewed_by)
        .where(JobRun.id.in_(rest))
        .order_by(JobRun.id)
    )
    return tuple((run_id, name) for run_id, name in rows)
