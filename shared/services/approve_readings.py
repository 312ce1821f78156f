"""Approves for a customer called by name, one reading or many at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.job_key import JobKey
from shared.domain.mailflow import InboxReason
from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow
from shared.models.mail import MailReading
from shared.services.approve_reading import Approved, ExistingJob, NewJob, approve_reading
from shared.services.audit import Actor
from shared.services.edit_customer import TypedCustomer, add_customer
from shared.services.errors import BadInput, Refusal
from shared.services.stored_mail import stored_key


class UnknownCustomer(BadInput):
    """No customer has this name; the page offers to create it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no customer called “{name}”.", field="customer")
        self.name = name


@dataclass(slots=True)
class BulkApproved:
    """What a bulk approval did; `refused` holds a sentence for each reading that still waits."""

    runs: int = 0
    jobs: set[int] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)


def customer_called(db: Session, name: str, *, create: bool, actor: Actor, now: datetime) -> Customer:
    """Return the active customer of this name; `create` one when there is none.

    Raise BadInput, or UnknownCustomer where it may be created.
    """
    tidy = " ".join(name.split())
    if not tidy:
        raise BadInput("Say whose mail this is.", field="customer")
    customer = db.scalar(select(Customer).where(func.lower(Customer.name) == func.lower(tidy)))
    if customer is None and not create:
        raise UnknownCustomer(tidy)
    if customer is None:
        return add_customer(db, TypedCustomer(name=tidy), actor=actor, now=now)
    if not customer.active:
        raise BadInput(
            f"“{customer.name}” is inactive, so nobody would see its runs. Make it active first.", field="customer"
        )
    return customer


def approve_readings(
    db: Session, reading_ids: Sequence[int], customer: Customer, *, actor: Actor, now: datetime
) -> BulkApproved:
    """Give each waiting reading to a new job of the customer, or to the customer's job that has its key already.

    What needs a person's eye (already handled, ambiguous, nothing read) is refused and goes on waiting.
    """
    done = BulkApproved()
    for reading_id in sorted(set(reading_ids)):
        try:
            with db.begin_nested():
                approved = _approve(db, reading_id, customer.id, actor=actor, now=now)
        except Refusal as refusal:
            done.refused.append(str(refusal))
        else:
            done.runs += approved.runs
            done.jobs.add(approved.job_id)
    return done


def _approve(db: Session, reading_id: int, customer_id: int, *, actor: Actor, now: datetime) -> Approved:
    reading = db.get(MailReading, reading_id)
    to: NewJob | ExistingJob = NewJob(customer_id=customer_id)
    if reading is not None and (owner := _owner_of(db, stored_key(reading))) is not None:
        if owner.customer_id != customer_id:
            raise BadInput("A job of another customer sends mails exactly like this one. Open it and decide there.")
        to = ExistingJob(job_id=owner.id)
    elif reading is not None and reading.inbox_reason is InboxReason.AMBIGUOUS:
        raise BadInput("It could be of a job that exists. Open it and decide there.")
    return approve_reading(db, reading_id, to, actor=actor, now=now)


def _owner_of(db: Session, key: JobKey) -> Job | None:
    return db.scalar(
        select(Job)
        .join(JobKeyRow, JobKeyRow.job_id == Job.id)
        .where(
            JobKeyRow.from_address == key.from_address,
            JobKeyRow.backup_software == key.software,
            JobKeyRow.backup_type == key.backup_type,
            JobKeyRow.job_name == key.job_name,
            JobKeyRow.origin == key.origin,
        )
    )
