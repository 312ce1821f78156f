from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, Location, Source
from shared.domain.reading import Kind
from shared.domain.run import MatchedBy
from shared.domain.run_facts import RunFacts
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.mail import MailMessage, MailReading
from shared.services.record_run import record_mail_run

FIVE_TERABYTES = 5_000_000_000_000
MORNING = datetime(2026, 2, 1, 6, tzinfo=UTC)


def test_a_run_keeps_the_size_of_a_big_backup(db: Session) -> None:
    job_id, reading_id = _job(db), _reading(db)
    facts = RunFacts(status=Status.SUCCESS, size_bytes=FIVE_TERABYTES)

    record_mail_run(db, job_id, reading_id=reading_id, matched_by=MatchedBy.NAME, run_at=MORNING, facts=facts)

    assert db.scalar(select(JobRun.size_bytes)) == FIVE_TERABYTES


def _job(db: Session) -> int:
    customer = Customer(name="Bakker & Zoon")
    db.add(customer)
    db.flush()
    job = Job(customer_id=customer.id, backup_software="Veeam", backup_type="", job_name="Nightly", kind=Kind.REGULAR)
    db.add(job)
    db.flush()
    return job.id


def _reading(db: Session) -> int:
    mail = MailMessage(
        source=Source.FOLDER,
        file_key=b"1",
        received_at=MORNING,
        received_source="received",
        imported_at=MORNING,
        location=Location.PROCESSED,
    )
    db.add(mail)
    db.flush()
    reading = MailReading(mail_id=mail.id, number=0, outcome=Ending.RUN)
    db.add(reading)
    db.flush()
    return reading.id
