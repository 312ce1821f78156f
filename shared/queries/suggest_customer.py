"""Whose mail could this be? Customers for the waiting readings of a mail, each with the evidence."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending
from shared.domain.names import fold
from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow
from shared.models.mail import MailMessage, MailReading

MOST = 3

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


def suggest_customers(db: Session, mail_id: int) -> dict[int, tuple[Suggestion, ...]]:
    """Return up to three customers for each waiting reading: same origin first, then same sender, then a name."""
    rows = db.execute(
        select(
            MailReading.id,
            MailReading.from_address_key,
            MailReading.origin,
            MailReading.job_name,
            MailMessage.subject,
        )
        .join(MailMessage, MailMessage.id == MailReading.mail_id)
        .where(MailReading.mail_id == mail_id, MailReading.outcome == Ending.INBOX)
    ).all()
    if not rows:
        return {}
    by_origin = _by_origin(db, {fold(row.origin) for row in rows if row.origin})
    by_sender = _by_sender(db, rows[0].from_address_key)
    names = [(row.id, row.name) for row in db.execute(select(Customer.id, Customer.name).where(Customer.active))]
    return {
        row.id: _first_of_each(
            [
                *by_origin.get(fold(row.origin or ""), ()),
                *by_sender,
                *_by_name(names, f"{row.from_address_key} {row.subject} {row.job_name or ''} {row.origin or ''}"),
            ]
        )
        for row in rows
    }


def _first_of_each(found: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    first: dict[int, Suggestion] = {}
    for suggestion in found:
        first.setdefault(suggestion.customer_id, suggestion)
    return tuple(first.values())[:MOST]


def _by_origin(db: Session, origins: set[str]) -> dict[str, list[Suggestion]]:
    jobs = func.count(Job.id.distinct())
    rows = db.execute(
        select(JobKeyRow.origin, Customer.id, Customer.name, jobs)
        .join(Job, Job.customer_id == Customer.id)
        .join(JobKeyRow, JobKeyRow.job_id == Job.id)
        .where(JobKeyRow.origin.in_(origins))
        .group_by(JobKeyRow.origin, Customer.id)
        .order_by(jobs.desc(), Customer.name)
    )
    found: dict[str, list[Suggestion]] = {}
    for origin, customer_id, name, count in rows:
        evidence = f"{_jobs(count)} from {origin}"
        suggestion = Suggestion(customer_id=customer_id, customer=name, evidence=evidence)
        found.setdefault(origin, []).append(suggestion)
    return found


def _by_sender(db: Session, sender: str) -> list[Suggestion]:
    jobs = func.count(Job.id.distinct())
    rows = db.execute(
        select(Customer.id, Customer.name, jobs)
        .join(Job, Job.customer_id == Customer.id)
        .join(JobKeyRow, JobKeyRow.job_id == Job.id)
        .where(JobKeyRow.from_address == sender)
        .group_by(Customer.id)
        .order_by(jobs.desc(), Customer.name)
        .limit(MOST + 1)
    ).all()
    if len(rows) > MOST:
        return []  # a sender of many customers says nothing
    return [
        Suggestion(customer_id=each, customer=name, evidence=f"{_jobs(count)} from this sender")
        for each, name, count in rows
    ]


def _by_name(names: Iterable[tuple[int, str]], text: str) -> list[Suggestion]:
    words = _telling_words(text)
    scored = []
    for customer_id, name in names:
        if common := _telling_words(name) & words:
            evidence = f"“{max(sorted(common), key=len)}” stands in the mail"
            scored.append((-len(common), name, Suggestion(customer_id=customer_id, customer=name, evidence=evidence)))
    return [suggestion for *_, suggestion in sorted(scored, key=lambda each: each[:2])]


def _telling_words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)} - _COMMON


def _jobs(count: int) -> str:
    return f"{count} job" if count == 1 else f"{count} jobs"
