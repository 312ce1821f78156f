import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, Location
from shared.models.audit import AuditEntry
from shared.models.jobs import Job, JobKeyRow, JobRun
from shared.models.mail import MailMessage, MailReading
from shared.services.audit import Actor
from shared.services.edit_job import archive_job, delete_job, move_job, unarchive_job
from shared.services.errors import Conflict, NotFound
from tests.builders import NOW, arrive, count_of, mail_of, make_customer, make_job, make_user, readings_of, runs_of
from tests.ledger import broken_promises
from tests.mails import digest_mail, report_mail


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


def test_an_archived_job_makes_no_runs_and_keeps_its_history(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    arrive(db, report_mail())

    archive_job(db, job_id, actor=actor, now=NOW)
    later = arrive(db, report_mail(status="Failed"))

    assert later.endings == (Ending.ARCHIVED,)
    assert len(runs_of(db, job_id)) == 1


def test_an_unarchived_job_makes_runs_again(db: Session, actor: Actor) -> None:
    job_id = make_job(db, archived=True)

    unarchive_job(db, job_id, actor=actor, now=NOW)

    assert arrive(db, report_mail()).endings == (Ending.RUN,)


def test_only_an_archived_job_can_be_deleted(db: Session, actor: Actor) -> None:
    job_id = make_job(db)

    with pytest.raises(Conflict, match="Archive the job first"):
        delete_job(db, job_id, actor=actor, now=NOW)


def test_deleting_a_job_keeps_the_ledger_whole(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    mail_id = arrive(db, report_mail()).mail_id
    archive_job(db, job_id, actor=actor, now=NOW)

    delete_job(db, job_id, actor=actor, now=NOW)

    assert [count_of(db, model) for model in (Job, JobKeyRow, JobRun)] == [0, 0, 0]
    assert [count_of(db, model) for model in (MailMessage, MailReading)] == [1, 1]
    assert readings_of(db, mail_id)[0].job_id is None
    assert mail_of(db, mail_id).location is Location.DELETED
    assert arrive(db, report_mail()).endings == (Ending.DUPLICATE,)
    assert broken_promises(db) == {}


def test_deleting_a_job_leaves_a_mail_that_other_jobs_share(db: Session, actor: Actor) -> None:
    job_id, other = make_job(db, "Known"), make_job(db, "Other", sender="x@oak.example")
    customer_id = db.get_one(Job, job_id).customer_id
    move_job(db, other, customer_id, actor=actor, now=NOW)
    beside = make_job(db, "Beside", customer_id=customer_id)
    mail_id = arrive(db, digest_mail(("Known", "Success"), ("Beside", "Failed"))).mail_id
    archive_job(db, job_id, actor=actor, now=NOW)

    delete_job(db, job_id, actor=actor, now=NOW)

    assert mail_of(db, mail_id).location is Location.PROCESSED
    assert len(runs_of(db, beside)) == 1
    assert broken_promises(db) == {}


def test_a_moved_job_takes_its_runs_along_and_is_audited(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    arrive(db, report_mail())
    before, after = db.get_one(Job, job_id).customer_id, make_customer(db)

    move_job(db, job_id, after, actor=actor, now=NOW)

    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "job.moved")).one()
    assert (entry.before, entry.after, entry.user_id) == ({"customer": before}, {"customer": after}, actor.user_id)
    assert len(runs_of(db, job_id)) == 1


def test_what_cannot_be_done_is_refused(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    customer_id = db.get_one(Job, job_id).customer_id

    with pytest.raises(Conflict):
        move_job(db, job_id, customer_id, actor=actor, now=NOW)
    with pytest.raises(NotFound):
        move_job(db, job_id, customer_id + 1_000, actor=actor, now=NOW)
    with pytest.raises(Conflict):
        unarchive_job(db, job_id, actor=actor, now=NOW)
    with pytest.raises(NotFound):
        archive_job(db, job_id + 1_000, actor=actor, now=NOW)
