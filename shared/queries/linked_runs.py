"""The runs that a ticket or a remark is linked to."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from shared.domain.status import Status
from shared.models.jobs import Job, JobRun
from shared.queries.rows import PAGE_SIZE, Page, existing_page


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkedRun:
    """A run that a ticket or a remark is linked to."""

    run_id: int
    job_name: str
    run_at: datetime
    status: Status
    message: str
    reviewed: bool


def linked_runs(db: Session, links: Select[int], page: int) -> Page[LinkedRun]:
    """Return one page of the runs with these ids, newest first."""
    total = db.scalar(select(func.count()).select_from(links.subquery())) or 0
    number = existing_page(page, total)
    found = db.execute(
        select(
            JobRun.id.label("run_id"),
            Job.job_name,
            JobRun.run_at,
            JobRun.status,
            func.left(JobRun.message, 300).label("message"),
            JobRun.reviewed_at.is_not(None).label("reviewed"),
        )
        .join(Job, Job.id == JobRun.job_id)
        .where(JobRun.id.in_(links))
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    return Page(rows=tuple(LinkedRun(**row._asdict()) for row in found), number=number, total=total)
