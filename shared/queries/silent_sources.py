"""Senders and customers that are silent now."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.models.customers import Customer
from shared.models.jobs import JobRun
from shared.models.schedules import SilentSource


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenSilence:
    """A sender, or a customer, of which `jobs` fell silent together and which has not been heard of since."""

    silence_id: int
    from_address: str | None
    customer_id: int | None
    customer: str | None
    jobs: int
    since: datetime


def open_silences(db: Session) -> list[OpenSilence]:
    """Return the silences that go on, longest first."""
    jobs = select(func.count(JobRun.job_id.distinct())).where(JobRun.silence_id == SilentSource.id).scalar_subquery()
    rows = db.execute(
        select(
            SilentSource.id.label("silence_id"),
            SilentSource.from_address,
            SilentSource.customer_id,
            Customer.name.label("customer"),
            jobs.label("jobs"),
            SilentSource.began_at.label("since"),
        )
        .outerjoin(Customer, Customer.id == SilentSource.customer_id)
        .where(SilentSource.ended_at.is_(None))
        .order_by(SilentSource.began_at, SilentSource.id)
    )
    return [OpenSilence(**row._asdict()) for row in rows]
