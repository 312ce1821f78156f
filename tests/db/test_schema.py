"""What the database itself refuses, whoever asks."""

from collections.abc import Mapping

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow, JobRun, Review, VanishedObject
from shared.models.mail import MailMessage, MailObject, MailReading
from shared.models.system import SystemSettings
from shared.models.users import User
from tests.builders import NOW, arrive, make_customer, make_job, make_run, make_user
from tests.mails import report_mail

MAIL: Mapping[str, object] = {
    "source": "folder",
    "file_key": b"key",
    "received_at": NOW,
    "received_source": "date",
    "imported_at": NOW,
    "location": "processed",
}


def refused(db: Session, model: type, **values: object) -> str:
    """Return the name of the promise that refuses this row."""
    with pytest.raises(IntegrityError) as refusal, db.begin_nested():
        db.execute(insert(model).values(values))
    return str(refusal.value.orig.diag.constraint_name or refusal.value.orig.diag.column_name)


def change_refused(db: Session, model: type, row_id: int, **values: object) -> str:
    with pytest.raises(IntegrityError) as refusal, db.begin_nested():
        db.execute(update(model).where(model.id == row_id).values(values))
    return str(refusal.value.orig.diag.constraint_name)


def reading(mail_id: int, **facts: object) -> dict[str, object]:
    return {"mail_id": mail_id, "number": 7, "outcome": "event", "status": "success", **facts}


@pytest.mark.parametrize(
    "facts, promise",
    [
        ({"file_key": None}, "one_delivery_id"),
        ({"graph_id": "AAk="}, "one_delivery_id"),
        ({"source": "pigeon"}, "source"),
        ({"location": "attic"}, "location"),
        ({"location": "deleted"}, "deleted_has_a_time"),
        ({"deleted_at": NOW}, "deleted_has_a_time"),
        ({"received_at": None}, "received_at"),
    ],
)
def test_a_mail_that_makes_no_sense(db: Session, facts: dict[str, object], promise: str) -> None:
    assert promise in refused(db, MailMessage, **{**MAIL, **facts})


def test_a_delivery_comes_in_once(db: Session) -> None:
    db.execute(insert(MailMessage).values(MAIL))
    db.execute(insert(MailMessage).values({**MAIL, "file_key": None, "graph_id": "AAk="}))

    assert refused(db, MailMessage, **MAIL) == "uq_mail_messages_file_key"
    assert refused(db, MailMessage, **{**MAIL, "file_key": None, "graph_id": "AAk="}) == "uq_mail_messages_graph_id"


def test_a_report_comes_in_once_unless_a_person_says_otherwise(db: Session) -> None:
    first = arrive(db, report_mail()).mail_id
    digest = db.get_one(MailMessage, first).report_hash
    again = {**MAIL, "report_hash": digest}

    assert refused(db, MailMessage, **again) == "uq_mail_messages_report_hash"
    db.execute(insert(MailMessage).values({**again, "duplicate_of_id": first}))
    db.execute(
        insert(MailMessage).values({**again, "file_key": b"2", "duplicate_of_id": first, "duplicate_undone": True})
    )


def test_a_mail_is_no_duplicate_of_itself(db: Session) -> None:
    mail_id = arrive(db, report_mail()).mail_id

    assert "not_its_own_duplicate" in change_refused(db, MailMessage, mail_id, duplicate_of_id=mail_id)


@pytest.mark.parametrize(
    "facts, promise",
    [
        ({"number": 0}, "uq_mail_readings_mail_id_number"),
        ({"outcome": "lost"}, "outcome"),
        ({"outcome": "inbox"}, "inbox_has_a_reason"),
        ({"inbox_reason": "new_job"}, "inbox_has_a_reason"),
        ({"outcome": "dismissed"}, "dismissed_has_a_time"),
        ({"dismissed_at": NOW}, "dismissed_has_a_time"),
        ({"status": None}, "an_event_was_read"),
        ({"kind": "odd"}, "kind"),
        ({"status": "fine"}, "status"),
    ],
)
def test_a_reading_that_makes_no_sense(db: Session, facts: dict[str, object], promise: str) -> None:
    mail_id = arrive(db, report_mail()).mail_id

    assert promise in refused(db, MailReading, **reading(mail_id, **facts))


def test_a_reading_of_no_mail(db: Session) -> None:
    assert refused(db, MailReading, **reading(0)) == "fk_mail_readings_mail_id"


def test_objects_are_numbered(db: Session) -> None:
    run = make_run(db, objects=("A",))

    row = {"reading_id": run.reading_id, "number": 0, "name": "B", "status": "success"}
    assert refused(db, MailObject, **row) == "uq_mail_objects_reading_id_number"


def a_run(job_id: int, **facts: object) -> dict[str, object]:
    return {
        "job_id": job_id,
        "source": "missed",
        "run_at": NOW,
        "slot_at": NOW,
        "raw_status": "missed",
        "status": "missed",
        **facts,
    }


def test_a_reading_has_one_run(db: Session) -> None:
    run = make_run(db)

    again = a_run(run.job_id, source="mail", matched_by="name", reading_id=run.reading_id)
    assert refused(db, JobRun, **again) == "uq_job_runs_reading_id"


@pytest.mark.parametrize(
    "facts, promise",
    [
        ({"source": "mail"}, "mail_runs_are_matched"),
        ({"matched_by": "name"}, "mail_runs_are_matched"),
        ({"slot_at": None}, "missed_has_a_slot"),
        ({"reviewed_at": NOW}, "reviewed_is_paired"),
        ({"size_bytes": -1}, "size_is_positive"),
        ({"status": "green"}, "status"),
        ({"raw_status": "green"}, "raw_status"),
        ({"job_id": 0}, "fk_job_runs_job_id"),
    ],
)
def test_a_run_that_makes_no_sense(db: Session, facts: dict[str, object], promise: str) -> None:
    assert promise in refused(db, JobRun, **{**a_run(make_job(db)), **facts})


def test_who_and_when_come_together(db: Session) -> None:
    run, user_id = make_run(db), make_user(db).person_id
    review = Review(reviewed_at=NOW, reviewed_by=user_id)
    found = VanishedObject(run_id=run.id, name="A", type="VM")
    db.add_all([review, found])
    db.flush()

    assert "reviewed_is_paired" in change_refused(db, JobRun, run.id, reviewed_at=NOW, reviewed_by=user_id)
    assert "reviewed_is_paired" in change_refused(db, JobRun, run.id, review_id=review.id)
    assert "undone_is_paired" in change_refused(db, Review, review.id, undone_at=NOW)
    assert "archived_is_paired" in change_refused(db, Job, run.job_id, archived_at=NOW)
    assert "confirmed_is_paired" in change_refused(db, VanishedObject, found.id, confirmed_by=user_id)


def test_a_key_belongs_to_one_job(db: Session) -> None:
    make_job(db, origin="OAK")
    other = make_job(db, "Other")

    row = {
        "job_id": other,
        "from_address": "backup@oak.example",
        "backup_software": "veeam backup & replication",
        "backup_type": "backup job",
        "job_name": "nightly",
        "origin": "oak",
    }
    assert refused(db, JobKeyRow, **row) == "uq_job_keys_key"


def test_a_finding_stands_once(db: Session) -> None:
    run = make_run(db)
    db.execute(insert(VanishedObject).values(run_id=run.id, name="A", type="VM"))

    assert "uq_vanished_objects" in refused(db, VanishedObject, run_id=run.id, name="A", type="VM")


@pytest.mark.parametrize("name", ["", " Oak", "Oak "])
def test_customers_have_tidy_names(db: Session, name: str) -> None:
    assert refused(db, Customer, name=name) == "ck_customers_name_is_tidy"


def test_customers_and_users_are_unique_whatever_the_case(db: Session) -> None:
    make_customer(db, "Oak & Sons")
    make_user(db, "anna")

    assert refused(db, Customer, name="OAK & SONS") == "uq_customers_name"
    row = {"username": "ANNA", "roles": ["viewer"], "last_active_role": "viewer"}
    assert refused(db, User, **row) == "uq_users_username"


@pytest.mark.parametrize(
    "facts, promise",
    [
        ({"roles": ["viewer", "king"]}, "roles_are_known"),
        ({"roles": ["viewer"], "last_active_role": "admin"}, "last_active_role_is_own"),
        ({"username": " x"}, "username_is_tidy"),
    ],
)
def test_users_that_make_no_sense(db: Session, facts: dict[str, object], promise: str) -> None:
    row = {"username": "x", "roles": ["viewer"], "last_active_role": "viewer"}

    assert promise in refused(db, User, **{**row, **facts})


def test_who_did_something_cannot_be_deleted(db: Session) -> None:
    actor = make_user(db)
    db.add(Review(reviewed_at=NOW, reviewed_by=actor.person_id))
    db.flush()

    with pytest.raises(IntegrityError), db.begin_nested():
        db.execute(delete(User).where(User.id == actor.person_id))


@pytest.mark.parametrize(
    "facts",
    [
        {"import_interval_minutes": 0},
        {"import_interval_minutes": 61},
        {"import_batch": 0},
        {"raw_days": -1},
        {"id": 2},
    ],
)
def test_settings_out_of_range(db: Session, facts: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), db.begin_nested():
        db.execute(update(SystemSettings).values(facts))


def test_settings_are_one_row(db: Session) -> None:
    with pytest.raises(DBAPIError), db.begin_nested():
        db.execute(insert(SystemSettings).values(id=2))


def test_deleting_a_customer_takes_jobs_and_runs_along_and_leaves_the_mails(db: Session) -> None:
    job_id = make_run(db).job_id
    customer_id = db.get_one(Job, job_id).customer_id

    db.execute(delete(Customer).where(Customer.id == customer_id))

    assert db.scalars(select(Job.id)).all() == []
    assert db.scalars(select(JobRun.id)).all() == []
    assert db.execute(select(MailReading.job_id, MailReading.outcome)).all() == [(None, "run")]
