"""Finds the job a reading belongs to; the rules are in domain/job_key.py, the rows come from here."""

from dataclasses import astuple

from sqlalchemy import ColumnElement, bindparam, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from shared.domain.job_key import CouldBe, JobKey, KnownKey, Match, NoMatch, match
from shared.models.jobs import Job, JobKeyRow

_KEY_COLUMNS = ("from_address", "backup_software", "backup_type", "job_name", "origin")


def find_job(db: Session, key: JobKey, *, any_type: bool = False) -> Match | NoMatch | CouldBe:
    """Return the job of `key`. With `any_type` the backup type isn't known and doesn't count."""
    parts = dict(zip(_KEY_COLUMNS, astuple(key), strict=True))
    rows = db.execute(_CANDIDATES_OF_ANY_TYPE if any_type else _CANDIDATES, parts).all()
    known = [
        KnownKey(job_id=row[0], customer_id=row[1], origin=row[2], archived=row[3] is not None, standing=row[4])
        for row in rows
    ]
    # An equal origin is proof whomever the sender serves, and most mails state theirs: they need no second question.
    is_proven = any(key.origin and key.origin == each.origin for each in known)
    shared = bool(known) and not is_proven and serves_others(db, key.from_address, known[0].customer_id)
    return match(key.origin, known, sender_is_shared=shared)


def only_job_of_sender(db: Session, key: JobKey) -> Match | NoMatch:
    """Return the one active job that this sender has, when its software and stated origin fit."""
    rows = db.execute(
        select(Job.id, JobKeyRow.origin)
        .join(Job, Job.id == JobKeyRow.job_id)
        .where(
            JobKeyRow.from_address == key.from_address,
            JobKeyRow.backup_software == key.software,
            Job.archived_at.is_(None),
            ~_has_another_job(),
        )
    ).all()
    stated = {origin for _, origin in rows if origin}
    is_elsewhere = key.origin and stated and key.origin not in stated
    return NoMatch() if not rows or is_elsewhere else Match(rows[0][0], proven=key.origin in stated)


def serves_others(db: Session, from_address: str, customer_id: int) -> bool:
    """Tell whether this sender (folded) reports for another customer than this one."""
    return db.scalar(_OTHERS, {"from_address": from_address, "customer_id": customer_id}) is not None


def remember_origin(db: Session, job_id: int, key: JobKey, *, shown: str) -> None:
    """Teach a job that was silent about its origin the first one that a mail of it states.

    Otherwise mails from two hosts would go on passing as the same job, and one's success hide the other's silence.
    """
    row = dict(zip(_KEY_COLUMNS, astuple(key), strict=True))
    db.execute(insert(JobKeyRow).values(job_id=job_id, origin_shown=shown, **row).on_conflict_do_nothing())


def _has_another_job() -> ColumnElement[bool]:
    """Whether the sender of a key row also reports for another active job than that row's."""
    other_key, other_job = aliased(JobKeyRow), aliased(Job)
    return exists(
        select(other_key.id)
        .join(other_job, other_job.id == other_key.job_id)
        .where(
            other_key.from_address == JobKeyRow.from_address,
            other_key.job_id != JobKeyRow.job_id,
            other_job.archived_at.is_(None),
        )
    ).correlate(JobKeyRow, Job)


# Every mail asks this: building the statement anew would cost more than the database needs to answer it.
_CANDIDATES_OF_ANY_TYPE = (
    select(Job.id, Job.customer_id, JobKeyRow.origin, Job.archived_at, JobKeyRow.standing)
    .join(Job, Job.id == JobKeyRow.job_id)
    .where(
        JobKeyRow.from_address == bindparam("from_address"),
        JobKeyRow.backup_software == bindparam("backup_software"),
        JobKeyRow.job_name == bindparam("job_name"),
    )
)
_CANDIDATES = _CANDIDATES_OF_ANY_TYPE.where(JobKeyRow.backup_type == bindparam("backup_type"))
_OTHERS = (
    select(JobKeyRow.id)
    .join(Job, Job.id == JobKeyRow.job_id)
    .where(JobKeyRow.from_address == bindparam("from_address"), Job.customer_id != bindparam("customer_id"))
    .limit(1)
)
