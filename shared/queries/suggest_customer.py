"""Whose mail could this be? Customers for a waiting reading, each with the evidence."""

import re
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.names import fold
from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow
from shared.models.mail import MailMessage, MailReading

_WORD = re.compile(r"[^\W_]{4,}")
# Words that stand in the names of many customers or in every report, and so prove nothing.
_COMMON = frozenset(
    "backup server example holding group groep international services solutions beheer gmbh bedrijf company "
    "limited daily nightly success failed warning".split()
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """A customer and why; the strongest evidence comes first."""

    customer_id: int
    customer: str
    evidence: str


def suggest_customers(db: Session, reading_id: int, most: int = 3) -> tuple[Suggestion, ...]:
    """Return at most `most` customers for a reading: same origin first, then same sender, then a name in the mail."""
    row = db.execute(
        select(MailReading.from_address_key, MailReading.origin, MailReading.job_name, MailMessage.subject)
        .join(MailMessage, MailMessage.id == MailReading.mail_id)
        .where(MailReading.id == reading_id)
    ).one_or_none()
    if row is None:
        return ()
    sender, origin, job_name, subject = row
    found = [
        *(_by_origin(db, fold(origin)) if origin else ()),
        *_by_sender(db, sender),
        *_by_name(db, f"{sender} {subject} {job_name or ''} {origin or ''}"),
    ]
    first = {suggestion.customer_id: suggestion for suggestion in reversed(found)}
    return tuple(sorted(first.values(), key=found.index)[:most])


def _by_origin(db: Session, origin: str) -> list[Suggestion]:
    rows = db.execute(
        select(Customer.id, Customer.name, func.count(Job.id.distinct()))
        .join(Job, Job.customer_id == Customer.id)
        .join(JobKeyRow, JobKeyRow.job_id == Job.id)
        .where(JobKeyRow.origin == origin)
        .group_by(Customer.id)
        .order_by(func.count(Job.id.distinct()).desc())
        .limit(3)
    )
    return [
        Suggestion(customer_id=each, customer=name, evidence=f"{_jobs(count)} from {origin}")
        for each, name, count in rows
    ]


def _by_sender(db: Session, sender: str) -> list[Suggestion]:
    rows = db.execute(
        select(Customer.id, Customer.name, func.count(Job.id.distinct()))
        .join(Job, Job.customer_id == Customer.id)
        .join(JobKeyRow, JobKeyRow.job_id == Job.id)
        .where(JobKeyRow.from_address == sender)
        .group_by(Customer.id)
        .order_by(func.count(Job.id.distinct()).desc())
        .limit(4)
    ).all()
    if len(rows) > 3:
        return []  # a sender of many customers says nothing
    return [
        Suggestion(customer_id=each, customer=name, evidence=f"{_jobs(count)} from this sender")
        for each, name, count in rows
    ]


def _by_name(db: Session, text: str) -> list[Suggestion]:
    words = {word.casefold() for word in _WORD.findall(text)} - _COMMON
    if not words:
        return []
    rows = db.execute(select(Customer.id, Customer.name).where(Customer.active).order_by(Customer.name)).all()
    scored = []
    for customer_id, name in rows:
        shared_words = {word.casefold() for word in _WORD.findall(name)} & words - _COMMON
        if shared_words:
            evidence = f"“{max(shared_words, key=len)}” stands in the mail"
            scored.append((len(shared_words), Suggestion(customer_id=customer_id, customer=name, evidence=evidence)))
    return [suggestion for _, suggestion in sorted(scored, key=lambda pair: -pair[0])]


def _jobs(count: int) -> str:
    return f"{count} job" if count == 1 else f"{count} jobs"
