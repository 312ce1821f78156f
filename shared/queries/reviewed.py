"""What was reviewed: the figures of the page that has nothing left to review."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.models.jobs import JobRun, Review
from shared.models.users import User


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """How many runs were reviewed, by whom (who did most comes first) and when last."""

    runs: int
    people: tuple[str, ...]
    last_at: datetime | None


def done_since(db: Session, since: datetime) -> Done:
    """Return what was reviewed since `since` and not undone."""
    name = func.coalesce(func.nullif(User.display_name, ""), User.username)
    rows = db.execute(
        select(name, func.count(JobRun.id), func.max(Review.reviewed_at))
        .select_from(Review)
        .join(JobRun, JobRun.review_id == Review.id)
        .join(User, User.id == Review.reviewed_by)
        .where(Review.reviewed_at >= since)
        .group_by(name)
        .order_by(func.count(JobRun.id).desc(), name)
    ).all()
    return Done(
        runs=sum(row[1] for row in rows),
        people=tuple(row[0] for row in rows),
        last_at=max((row[2] for row in rows), default=None),
    )
