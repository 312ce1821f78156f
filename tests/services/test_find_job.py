"""Attribution with real keys in the database."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.job_key import KeyStanding
from shared.domain.mailflow import Ending, InboxReason
from shared.domain.run import MatchedBy
from shared.domain.status import Status
from shared.models.jobs import JobKeyRow
from tests.builders import arrive, make_customer, make_job, make_key, nights, readings_of, runs_of
from tests.mails import report_mail

RELAY = "noreply@relay.example"


def test_two_customers_with_equal_sender_software_type_and_name_are_told_apart_by_origin(db: Session) -> None:
    oak = make_job(db, sender=RELAY, origin="OAK")
    elm = make_job(db, sender=RELAY, origin="ELM")

    arrive(db, report_mail(sender=RELAY, origin="elm", status="Failed"))
    arrive(db, report_mail(sender=RELAY, origin="OAK"))

    assert [run.status for run in runs_of(db, oak)] == [Status.SUCCESS]
    assert [run.status for run in runs_of(db, elm)] == [Status.FAILED]


@pytest.mark.parametrize("origin", ["", "ASH"])
def test_a_shared_sender_without_an_equal_origin_waits(db: Session, origin: str) -> None:
    first = make_job(db, sender=RELAY, origin="OAK")
    second = make_job(db, sender=RELAY, origin="ELM")

    imported = arrive(db, report_mail(sender=RELAY, origin=origin))

    (reading,) = readings_of(db, imported.mail_id)
    assert (reading.outcome, reading.inbox_reason) == (Ending.INBOX, InboxReason.AMBIGUOUS)
    assert sorted(reading.could_be) == [first, second]
    assert runs_of(db, first) == runs_of(db, second) == []


def test_a_sender_is_shared_as_soon_as_any_other_customer_uses_it_for_anything(db: Session) -> None:
    job_id = make_job(db, sender=RELAY)
    make_job(db, "Something else", sender=RELAY)

    imported = arrive(db, report_mail(sender=RELAY))

    assert imported.endings == (Ending.INBOX,)
    assert runs_of(db, job_id) == []


def test_a_vouched_name_of_a_shared_sender_is_known(db: Session) -> None:
    job_id = make_job(db, sender=RELAY, standing=KeyStanding.VOUCHED)
    make_job(db, "Something else", sender=RELAY)

    arrive(db, report_mail(sender=RELAY))

    assert len(runs_of(db, job_id)) == 1


def test_a_contested_name_waits(db: Session) -> None:
    job_id = make_job(db, standing=KeyStanding.CONTESTED)

    imported = arrive(db, report_mail())

    assert imported.endings == (Ending.INBOX,)
    assert runs_of(db, job_id) == []


def test_two_origins_of_one_customer_are_two_jobs(db: Session) -> None:
    job_id = make_job(db, origin="OAK-VBR")

    imported = arrive(db, report_mail(origin="OAK-VBR2"))

    (reading,) = readings_of(db, imported.mail_id)
    assert reading.inbox_reason is InboxReason.NEW_JOB
    assert runs_of(db, job_id) == []


def test_a_mail_that_is_silent_about_its_origin_is_of_the_only_job_of_the_name(db: Session) -> None:
    job_id = make_job(db, origin="OAK-VBR")

    arrive(db, report_mail())

    assert [run.matched_by for run in runs_of(db, job_id)] == [MatchedBy.NAME]


def test_a_silent_mail_that_fits_two_jobs_of_one_customer_waits(db: Session) -> None:
    customer_id = make_customer(db)
    for origin in ("OAK-VBR", "ELM-VBR"):
        make_job(db, origin=origin, customer_id=customer_id)

    imported = arrive(db, report_mail())

    assert imported.endings == (Ending.INBOX,)


def test_a_job_that_was_silent_learns_the_first_origin_and_lets_no_second_one_pass_for_it(db: Session) -> None:
    job_id = make_job(db)
    first, second, third = nights(3)

    arrive(db, report_mail(origin="OAK-VBR", sent_at=first))
    arrive(db, report_mail(origin="OAK-VBR", sent_at=second))
    stranger = arrive(db, report_mail(origin="ELM-VBR", sent_at=third))

    assert [run.matched_by for run in runs_of(db, job_id)] == [MatchedBy.NAME, MatchedBy.ORIGIN]
    (reading,) = readings_of(db, stranger.mail_id)
    assert (reading.inbox_reason, reading.could_be) == (InboxReason.AMBIGUOUS, [job_id])
    origins = db.scalars(select(JobKeyRow.origin_shown).where(JobKeyRow.job_id == job_id).order_by(JobKeyRow.id))
    assert list(origins) == ["", "OAK-VBR"]


def test_a_job_has_as_many_keys_as_people_gave_it(db: Session) -> None:
    job_id = make_job(db, origin="OAK-VBR")
    make_key(db, job_id, "Nightly", origin="ELM-VBR")
    make_key(db, job_id, "Nachtelijk", origin="OAK-VBR")

    arrive(db, report_mail(origin="ELM-VBR"))
    arrive(db, report_mail("Nachtelijk", origin="OAK-VBR"))

    assert len(runs_of(db, job_id)) == 2


@pytest.mark.parametrize("spelled", ["NIGHTLY", "  nightly ", "Ｎightly"])
def test_names_are_compared_without_case_width_and_extra_blanks(db: Session, spelled: str) -> None:
    job_id = make_job(db, "Nightly", origin="OAK-VBR")

    arrive(db, report_mail(spelled, origin="oak-vbr"))

    assert len(runs_of(db, job_id)) == 1


def test_an_active_job_takes_the_place_of_an_archived_one_of_the_same_name(db: Session) -> None:
    customer_id = make_customer(db)
    archived = make_job(db, origin="OAK-VBR", archived=True, customer_id=customer_id)
    active = make_job(db, customer_id=customer_id)

    arrive(db, report_mail())

    assert (len(runs_of(db, archived)), len(runs_of(db, active))) == (0, 1)
