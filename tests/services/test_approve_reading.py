"""A person gives a waiting mail its job."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.job_key import KeyStanding
from shared.domain.mailflow import Ending, Location
from shared.domain.reading import Kind
from shared.domain.run import MatchedBy
from shared.domain.status import Status
from shared.models.jobs import Job, JobKeyRow
from shared.models.schedules import JobSchedule
from shared.services.approve_reading import ExistingJob, NewJob, approve_reading
from shared.services.audit import Actor
from shared.services.errors import BadInput, Conflict, NotFound
from tests.builders import NOW, arrive, mail_of, make_customer, make_job, make_user, nights, readings_of, runs_of
from tests.ledger import broken_promises
from tests.mails import digest_mail, mail, report_mail, rubbish_mail, update_mail

RELAY = "noreply@relay.example"


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


def waiting(db: Session, raw: bytes) -> int:
    """Import `raw` and return its first reading that waits."""
    readings = readings_of(db, arrive(db, raw).mail_id)
    return next(reading.id for reading in readings if reading.outcome is Ending.INBOX)


def standings(db: Session, job_id: int) -> dict[str, KeyStanding]:
    rows = db.execute(select(JobKeyRow.origin, JobKeyRow.standing).where(JobKeyRow.job_id == job_id))
    return dict(rows.all())


def test_a_new_job_takes_its_facts_from_the_mail_and_knows_its_mails_from_now_on(db: Session, actor: Actor) -> None:
    customer_id = make_customer(db)
    reading_id = waiting(db, report_mail(origin="OAK-VBR", status="Warning"))

    approved = approve_reading(db, reading_id, NewJob(customer_id=customer_id), actor=actor, now=NOW)

    job = db.get_one(Job, approved.job_id)
    assert (job.job_name, job.backup_software, job.backup_type, job.kind, job.created_by) == (
        "Nightly",
        "Veeam Backup & Replication",
        "Backup job",
        Kind.REGULAR,
        actor.user_id,
    )
    (run,) = runs_of(db, job.id)
    assert (run.status, run.matched_by, run.run_at) == (Status.WARNING, MatchedBy.PERSON, nights(1)[0])
    assert arrive(db, report_mail(origin="OAK-VBR", sent_at=nights(2)[1])).endings == (Ending.RUN,)
    assert broken_promises(db) == {}


def test_the_mail_leaves_the_inbox_when_nothing_of_it_waits_any_more(db: Session, actor: Actor) -> None:
    customer_id = make_customer(db)
    mail_id = arrive(db, digest_mail(("One", "Success"), ("Two", "Failed"))).mail_id
    one, two = (reading.id for reading in readings_of(db, mail_id))

    approve_reading(db, one, NewJob(customer_id=customer_id), actor=actor, now=NOW)
    halfway = mail_of(db, mail_id).location
    approve_reading(db, two, NewJob(customer_id=customer_id), actor=actor, now=NOW)

    assert (halfway, mail_of(db, mail_id).location) == (Location.INBOX, Location.PROCESSED)


def test_attaching_to_a_job_gives_it_another_key(db: Session, actor: Actor) -> None:
    job_id = make_job(db, "Old name", origin="OAK-VBR")
    reading_id = waiting(db, report_mail("New name", origin="OAK-VBR"))

    approve_reading(db, reading_id, ExistingJob(job_id=job_id), actor=actor, now=NOW)

    assert arrive(db, report_mail("New name", origin="OAK-VBR", sent_at=nights(2)[1])).endings == (Ending.RUN,)
    assert len(runs_of(db, job_id)) == 2


def test_all_waiting_mails_of_the_job_become_its_runs_and_no_others(db: Session, actor: Actor) -> None:
    first, *rest = (waiting(db, report_mail(origin="OAK-VBR", sent_at=at)) for at in nights(4))
    other = waiting(db, report_mail(origin="ELM-VBR"))

    approved = approve_reading(
        db, rest[1], NewJob(customer_id=make_customer(db)), actor=actor, now=NOW, and_all_waiting=True
    )

    assert approved.runs == 4
    assert [run.run_at for run in runs_of(db, approved.job_id)] == nights(4)
    with pytest.raises(Conflict, match="already"):
        approve_reading(db, first, NewJob(customer_id=make_customer(db)), actor=actor, now=NOW)
    approve_reading(db, other, NewJob(customer_id=make_customer(db)), actor=actor, now=NOW)
    assert broken_promises(db) == {}


def test_all_waiting_mails_of_a_shared_sender_are_not_taken_for_one_customers(db: Session, actor: Actor) -> None:
    make_job(db, "Something else", sender=RELAY)
    reading_id, _ = (waiting(db, report_mail(sender=RELAY, sent_at=at)) for at in nights(2))
    to = NewJob(customer_id=make_customer(db))

    with pytest.raises(BadInput, match="several customers"):
        approve_reading(db, reading_id, to, actor=actor, now=NOW, and_all_waiting=True)

    vouched = NewJob(customer_id=to.customer_id, vouched=True)
    assert approve_reading(db, reading_id, vouched, actor=actor, now=NOW, and_all_waiting=True).runs == 2


def test_a_name_that_a_second_job_sends_too_is_contested_from_then_on(db: Session, actor: Actor) -> None:
    first = make_job(db, sender=RELAY)
    second = make_job(db, "Something else", sender=RELAY)
    reading_id = waiting(db, report_mail(sender=RELAY))

    approve_reading(db, reading_id, ExistingJob(job_id=second), actor=actor, now=NOW)

    assert standings(db, first) == {"": KeyStanding.CONTESTED}
    assert arrive(db, report_mail(sender=RELAY, sent_at=nights(2)[1])).endings == (Ending.INBOX,)


def test_a_key_with_an_origin_belongs_to_one_job(db: Session, actor: Actor) -> None:
    reading_id = waiting(db, report_mail(origin="OAK-VBR"))
    make_job(db, origin="OAK-VBR")

    with pytest.raises(Conflict, match="another job"):
        approve_reading(db, reading_id, NewJob(customer_id=make_customer(db)), actor=actor, now=NOW)


def test_a_mail_that_names_no_job_needs_a_name_from_a_person(db: Session, actor: Actor) -> None:
    reading_id = waiting(db, _nameless())
    customer_id = make_customer(db)

    with pytest.raises(BadInput, match="name"):
        approve_reading(db, reading_id, NewJob(customer_id=customer_id, job_name="  "), actor=actor, now=NOW)
    approved = approve_reading(
        db, reading_id, NewJob(customer_id=customer_id, job_name="Storage"), actor=actor, now=NOW
    )

    assert db.get_one(Job, approved.job_id).job_name == "Storage"


@pytest.mark.parametrize("raw", [rubbish_mail(), report_mail(cut=True)], ids=["unrecognised", "unreadable"])
def test_a_mail_in_which_nothing_was_read_starts_no_job(db: Session, actor: Actor, raw: bytes) -> None:
    reading_id = waiting(db, raw)

    with pytest.raises(BadInput, match="can't start a job"):
        approve_reading(db, reading_id, NewJob(customer_id=make_customer(db)), actor=actor, now=NOW)


def test_an_unreadable_mail_attached_to_a_job_is_an_unreadable_run(db: Session, actor: Actor) -> None:
    job_id = make_job(db, "Other")
    reading_id = waiting(db, report_mail(cut=True))

    approve_reading(db, reading_id, ExistingJob(job_id=job_id), actor=actor, now=NOW)

    assert [run.status for run in runs_of(db, job_id)] == [Status.UNREADABLE]
    assert broken_promises(db) == {}


def test_a_mail_that_says_nothing_teaches_the_job_nothing(db: Session, actor: Actor) -> None:
    """Else every later mail of that product without a name would pass for this job's."""
    job_id, _ = make_job(db, "All", software="Bacula"), make_job(db, "Other", software="Bacula")
    reading_id = waiting(db, mail("Bacula: Backup OK of maild-fd Incremental", "\n"))

    approve_reading(db, reading_id, ExistingJob(job_id=job_id), actor=actor, now=NOW)

    assert list(standings(db, job_id)) == [""]
    assert db.scalars(select(JobKeyRow.job_name).where(JobKeyRow.job_id == job_id)).all() == ["all"]


def test_informational_mails_start_informational_jobs(db: Session, actor: Actor) -> None:
    reading_id = waiting(db, update_mail())

    approved = approve_reading(db, reading_id, NewJob(customer_id=make_customer(db)), actor=actor, now=NOW)

    assert db.get_one(Job, approved.job_id).kind is Kind.INFORMATIONAL


def test_what_is_gone_or_archived_is_refused(db: Session, actor: Actor) -> None:
    reading_id = waiting(db, report_mail())
    archived = make_job(db, "Filed away", archived=True)

    for to in (NewJob(customer_id=0), ExistingJob(job_id=0)):
        with pytest.raises(NotFound):
            approve_reading(db, reading_id, to, actor=actor, now=NOW)
    with pytest.raises(Conflict, match="archive"):
        approve_reading(db, reading_id, ExistingJob(job_id=archived), actor=actor, now=NOW)
    with pytest.raises(NotFound):
        approve_reading(db, 0, ExistingJob(job_id=archived), actor=actor, now=NOW)


def _nameless() -> bytes:
    """A report of QNAP's that came without its body: it proves a failure, and names no job."""
    return mail("[Error][Hybrid Backup Sync] Notification from your device: OAK-NAS", "\n")


def test_a_job_of_a_product_for_pcs_alone_is_a_device_that_sleeps(db: Session, actor: Actor) -> None:
    subject = "Endpoint Backup Agent (OAK-LAPTOP) Checkin Alert for Organization (Oak)"
    reading_id = waiting(db, mail(subject, "Checkin Alert", sender=RELAY))

    approved = approve_reading(db, reading_id, NewJob(customer_id=make_customer(db)), actor=actor, now=NOW)

    assert db.get_one(JobSchedule, approved.job_id).sleeps


def test_a_job_of_a_product_that_backs_up_servers_too_is_none_until_somebody_says_so(db: Session, actor: Actor) -> None:
    reading_id = waiting(db, report_mail(origin="OAK-LAPTOP"))

    approved = approve_reading(db, reading_id, NewJob(customer_id=make_customer(db)), actor=actor, now=NOW)

    assert db.get(JobSchedule, approved.job_id) is None
