"""Builders of rows. Each states only what matters to the test; mails come in through the real import.

`tests/mails.py` builds the mails themselves.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.clients.graph_mailbox import Arrived
from shared.domain.job_key import KeyStanding, job_key
from shared.domain.mailflow import Delivery, Ending, MimeState, Source
from shared.domain.permissions import Role
from shared.domain.reading import Kind, ObjectResult
from shared.domain.run import MatchedBy
from shared.domain.run_facts import RunFacts
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow, JobRun
from shared.models.mail import MailMessage, MailObject, MailReading
from shared.models.mailbox import MailArrival
from shared.models.users import User
from shared.services.audit import Actor
from shared.services.import_mail import Imported, import_mail
from shared.services.lease_mailbox import mailbox_id_of
from shared.services.record_run import record_mail_run
from shared.services.store_arrivals import store_arrivals
from tests.fake_graph.eml import message_fields
from tests.mails import NIGHT, SENDER

NOW = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
VEEAM = "Veeam Backup & Replication"
BACKUP_JOB = "Backup job"

_numbers = count(1)


def make_user(db: Session, name: str = "", *, role: Role = Role.OPERATOR) -> Actor:
    """Return a stored user as the one who acts."""
    user = User(username=name or f"operator {next(_numbers)}", roles=[role], last_active_role=role)
    db.add(user)
    db.flush()
    return Actor(name=user.username, user_id=user.id)


def make_customer(db: Session, name: str = "", *, active: bool = True, time_zone: str | None = None) -> int:
    customer = Customer(name=name or f"Customer {next(_numbers)}", active=active, time_zone=time_zone)
    db.add(customer)
    db.flush()
    return customer.id


def make_job(
    db: Session,
    name: str = "Nightly",
    *,
    customer_id: int | None = None,
    sender: str = SENDER,
    origin: str = "",
    standing: KeyStanding = KeyStanding.PLAIN,
    archived: bool = False,
    software: str = VEEAM,
    backup_type: str = BACKUP_JOB,
    kind: Kind = Kind.REGULAR,
) -> int:
    """Return the id of a job with one key; without a customer it gets one of its own."""
    job = Job(
        customer_id=customer_id or make_customer(db),
        backup_software=software,
        backup_type=backup_type,
        job_name=name,
        kind=kind,
        archived_at=NOW if archived else None,
        archived_by=make_user(db).user_id if archived else None,
    )
    db.add(job)
    db.flush()
    make_key(db, job.id, name, sender=sender, origin=origin, standing=standing, of=(software, backup_type))
    return job.id


def make_key(
    db: Session,
    job_id: int,
    name: str = "Nightly",
    *,
    sender: str = SENDER,
    origin: str = "",
    standing: KeyStanding = KeyStanding.PLAIN,
    of: tuple[str, str] = (VEEAM, BACKUP_JOB),
) -> None:
    key = job_key(sender, of[0], of[1], name, origin)
    db.add(
        JobKeyRow(
            job_id=job_id,
            from_address=key.from_address,
            backup_software=key.software,
            backup_type=key.backup_type,
            job_name=key.job_name,
            origin=key.origin,
            origin_shown=origin,
            standing=standing,
        )
    )
    db.flush()


def make_run(
    db: Session,
    job_id: int | None = None,
    *,
    status: Status = Status.SUCCESS,
    run_at: datetime = NIGHT,
    objects: Sequence[str] | Mapping[str, Status] = (),
    complete: bool = False,
    session_id: str | None = None,
    started_at: datetime | None = None,
    retry: int | None = None,
) -> JobRun:
    """Return the run that shows a mail with its reading; `objects` have the run's status, or one of their own."""
    job_id = job_id or make_job(db, f"Job {next(_numbers)}")
    each = objects if isinstance(objects, Mapping) else dict.fromkeys(objects, status)
    things = tuple(ObjectResult(name=name, type="VM", status=how) for name, how in each.items())
    reading = make_reading(db, job_id, status=status, run_at=run_at, complete=complete)
    reading.session_id, reading.retry = session_id, retry
    reading.started_at = started_at.isoformat() if started_at else None
    for number, thing in enumerate(things):
        db.add(MailObject(reading_id=reading.id, number=number, name=thing.name, type=thing.type, status=thing.status))
    db.flush()
    facts = RunFacts(status=status, objects=things, objects_complete=complete, started_at=started_at)
    run_id = record_mail_run(db, job_id, reading_id=reading.id, matched_by=MatchedBy.NAME, run_at=run_at, facts=facts)
    return db.get_one(JobRun, run_id)


def make_reading(db: Session, job_id: int, *, status: Status, run_at: datetime, complete: bool) -> MailReading:
    message = MailMessage(
        source=Source.FOLDER,
        file_key=f"file {next(_numbers)}".encode(),
        from_address=SENDER,
        received_at=run_at,
        received_source="date",
        imported_at=run_at,
        location="processed",
        job_id=job_id,
    )
    db.add(message)
    db.flush()
    reading = MailReading(
        mail_id=message.id,
        number=0,
        outcome=Ending.RUN,
        status=None if status is Status.UNREADABLE else status,
        kind=Kind.REGULAR,
        job_id=job_id,
        objects_complete=complete,
    )
    db.add(reading)
    db.flush()
    return reading


def delivery(raw: bytes, name: str = "") -> Delivery:
    """Return `raw` as a file of its own, or as the file `name`."""
    return Delivery(source=Source.FOLDER, raw=raw, name=name or f"{next(_numbers)}.eml")


def arrive(db: Session, raw: bytes, name: str = "", *, now: datetime = NOW) -> Imported:
    """Import `raw` as a file; without a name it is a delivery of its own."""
    return import_mail(db, delivery(raw, name), now=now)


def make_arrival(
    db: Session,
    raw: bytes,
    *,
    graph_id: str = "",
    address: str = "reports@msp.example",
    now: datetime = NOW,
    mime: MimeState = MimeState.UNASKED,
) -> int:
    """Return the id of a mail that a mailbox handed over as a message and that nobody has imported yet."""
    arrived = Arrived(
        graph_id=graph_id or f"graph {next(_numbers)}",
        received_at=now,
        content=json.dumps(message_fields(raw)).encode(),
    )
    (arrival_id,) = store_arrivals(db, mailbox_id_of(db, address), [arrived], now=now)
    db.get_one(MailArrival, arrival_id).mime = mime
    return arrival_id


def readings_of(db: Session, mail_id: int) -> list[MailReading]:
    """Return the mail's readings in order, as they are stored now."""
    query = select(MailReading).where(MailReading.mail_id == mail_id).order_by(MailReading.number)
    return list(db.scalars(query.execution_options(populate_existing=True)))


def mail_of(db: Session, mail_id: int) -> MailMessage:
    return db.get_one(MailMessage, mail_id, populate_existing=True)


def runs_of(db: Session, job_id: int) -> list[JobRun]:
    """Return the job's runs, oldest first, as they are stored now."""
    query = select(JobRun).where(JobRun.job_id == job_id).order_by(JobRun.run_at, JobRun.id)
    return list(db.scalars(query.execution_options(populate_existing=True)))


def count_of(db: Session, model: type[object]) -> int:
    return db.scalar(select(func.count()).select_from(model)) or 0


def nights(number: int, *, first: datetime = NIGHT) -> list[datetime]:
    return [first + timedelta(days=day) for day in range(number)]
