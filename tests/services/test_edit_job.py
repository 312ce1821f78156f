from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Location
from shared.models.jobs import Job, JobRun
from shared.models.mail import MailReading
from shared.services.approve_reading import NewJob, approve_reading
from shared.services.edit_job import archive_job, delete_job
from tests.builders import NOW, arrive, mail_of, make_customer, make_user, readings_of
from tests.ledger import broken_promises
from tests.mails import digest_mail, report_mail


def test_a_deleted_job_takes_its_mail_along_and_leaves_the_ledger_whole(db: Session) -> None:
    actor, customer = make_user(db), make_customer(db)
    mail_id = arrive(db, report_mail("Nightly")).mail_id
    (reading,) = readings_of(db, mail_id)
    job = approve_reading(db, reading.id, NewJob(customer_id=customer), actor=actor, now=NOW).job_id

    archive_job(db, job, actor=actor, now=NOW)
    delete_job(db, job, actor=actor, now=NOW)

    db.expire_all()
    assert db.scalars(select(JobRun)).all() == []
    assert db.get(Job, job) is None
    assert mail_of(db, mail_id).location is Location.DELETED
    assert len(db.scalars(select(MailReading).where(MailReading.mail_id == mail_id)).all()) == 1
    assert broken_promises(db) == {}


def test_a_digest_stays_for_its_other_job(db: Session) -> None:
    actor, customer = make_user(db), make_customer(db)
    mail_id = arrive(db, digest_mail(("Nightly", "Success"), ("Weekly", "Failed"))).mail_id
    nightly, weekly = (
        approve_reading(db, reading.id, NewJob(customer_id=customer), actor=actor, now=NOW).job_id
        for reading in readings_of(db, mail_id)
    )

    archive_job(db, weekly, actor=actor, now=NOW)
    delete_job(db, weekly, actor=actor, now=NOW)

    db.expire_all()
    assert mail_of(db, mail_id).location is Location.PROCESSED
    assert [run.job_id for run in db.scalars(select(JobRun))] == [nightly]
