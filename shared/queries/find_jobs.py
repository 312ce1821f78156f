"""Jobs by a part of their name or their customer's: what a waiting reading can be attached to."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.queries.mail_detail import JobName
from shared.queries.rows import contains, watched_jobs

MOST_FOUND = 20


def find_jobs(db: Session, text: str) -> tuple[JobName, ...]:
    """Return jobs that runs can be added to and that have all words of `text` in their names; none for no words."""
    words = text.split()
    if not words:
        return ()
    rows = db.execute(
        select(
            Job.id.label("job_id"), Customer.name.label("customer"), Job.job_name, Job.backup_software.label("software")
        )
        .join(Customer, Customer.id == Job.customer_id)
        .where(*watched_jobs(), *(contains(word, Customer.name, Job.job_name, Job.backup_software) for word in words))
        .order_by(func.lower(Customer.name), func.lower(Job.job_name), Job.id)
        .limit(MOST_FOUND)
    )
    return tuple(JobName(**row._asdict()) for row in rows)
