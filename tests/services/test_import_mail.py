from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Delivery, Ending, InboxReason, Location, Source
from shared.domain.reading import Kind
from shared.domain.run import MatchedBy
from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.models.mail import MailMessage, MailObject, MailRaw, MailReading
from shared.services.import_mail import import_mail
from tests.builders import (
    NOW,
    arrive,
    count_of,
    delivery,
    mail_of,
    make_customer,
    make_job,
    readings_of,
    runs_of,
)
from tests.ledger import broken_promises
from tests.mails import NIGHT, alert_mail, digest_mail, mail, report_mail, rubbish_mail, trial_mail, update_mail


def test_a_mail_of_a_known_job_becomes_its_run(db: Session) -> None:
    job_id = make_job(db, origin="OAK-VBR")

    imported = arrive(db, report_mail(origin="OAK-VBR", status="Warning"))

    assert imported.endings == (Ending.RUN,)
    (run,) = runs_of(db, job_id)
    assert (run.status, run.raw_status, run.matched_by) == (Status.WARNING, Status.WARNING, MatchedBy.ORIGIN)
    assert (run.run_at, run.size_bytes) == (NIGHT, 17072495001)
    assert mail_of(db, imported.mail_id).location is Location.PROCESSED
    assert mail_of(db, imported.mail_id).job_id == job_id


def test_the_objects_of_a_mail_are_kept_in_its_order(db: Session) -> None:
    imported = arrive(db, report_mail(objects=("ZED", "ALFA", "MIKE"), status="Failed"))

    (reading,) = readings_of(db, imported.mail_id)
    objects = db.execute(
        select(MailObject.name, MailObject.status)
        .where(MailObject.reading_id == reading.id)
        .order_by(MailObject.number)
    ).all()
    assert [tuple(row) for row in objects] == [
        ("ZED", Status.SUCCESS),
        ("ALFA", Status.SUCCESS),
        ("MIKE", Status.FAILED),
    ]


def test_the_same_delivery_again_changes_nothing(db: Session) -> None:
    job_id = make_job(db)
    first = arrive(db, report_mail(), "night.eml")

    again = arrive(db, report_mail(), "night.eml", now=NOW + timedelta(days=1))

    assert (again.mail_id, again.endings, again.is_new) == (first.mail_id, (Ending.RUN,), False)
    assert count_of(db, MailMessage) == count_of(db, MailReading) == len(runs_of(db, job_id)) == 1
    assert mail_of(db, first.mail_id).imported_at == NOW


def test_the_same_immutable_id_again_changes_nothing_whatever_its_bytes(db: Session) -> None:
    first = import_mail(db, _from_graph("AAk=", report_mail()), now=NOW)

    again = import_mail(db, _from_graph("AAk=", rubbish_mail()), now=NOW)

    assert (again.mail_id, again.is_new) == (first.mail_id, False)
    assert count_of(db, MailMessage) == 1


def test_the_same_report_under_another_delivery_is_a_duplicate(db: Session) -> None:
    job_id = make_job(db)
    first = arrive(db, report_mail(), "a.eml")

    second = arrive(db, report_mail(received_at=NIGHT + timedelta(hours=3)), "b.eml")

    assert second.endings == (Ending.DUPLICATE,)
    assert mail_of(db, second.mail_id).duplicate_of_id == first.mail_id
    assert mail_of(db, second.mail_id).location is Location.PROCESSED
    assert len(runs_of(db, job_id)) == 1
    assert broken_promises(db) == {}


def test_a_third_copy_is_a_duplicate_of_the_first(db: Session) -> None:
    first, _, third = (arrive(db, report_mail(), name) for name in ("a.eml", "b.eml", "c.eml"))

    assert mail_of(db, third.mail_id).duplicate_of_id == first.mail_id


def test_notices_that_differ_only_in_their_date_are_two_runs(db: Session) -> None:
    job_id = make_job(
        db, "Synology Automatic Update", software="Synology DSM", backup_type="Updates", kind=Kind.INFORMATIONAL
    )

    for sent_at in (NIGHT, NIGHT + timedelta(days=1), NIGHT + timedelta(days=1, seconds=1)):
        arrive(db, update_mail(sent_at=sent_at))

    assert len(runs_of(db, job_id)) == 3


def test_without_a_date_of_its_own_a_mail_is_never_a_duplicate(db: Session) -> None:
    job_id = make_job(db)

    arrive(db, report_mail(sent_at=None), "monday.eml")
    arrive(db, report_mail(sent_at=None), "tuesday.eml")

    assert len(runs_of(db, job_id)) == 2
    assert db.scalars(select(MailMessage.report_hash)).all() == [None, None]


def test_a_mail_forwarded_as_an_attachment_is_a_duplicate_of_the_same_report(db: Session) -> None:
    arrive(db, report_mail())

    forwarded = arrive(db, _forwarded(report_mail()))

    assert forwarded.endings == (Ending.DUPLICATE,)


def test_an_equal_message_id_with_another_report_is_imported_and_flagged(db: Session) -> None:
    job_id = make_job(db)
    first = arrive(db, report_mail(message_id="<1@oak.example>"))

    second = arrive(db, report_mail(message_id="<1@oak.example>", status="Failed"))

    assert len(runs_of(db, job_id)) == 2
    assert [mail_of(db, each.mail_id).message_id_seen_before for each in (first, second)] == [False, True]


@pytest.mark.parametrize("raw", [b"", b"\n\nno header at all\n", b"\x00\x01\x02\x03" * 50])
def test_bytes_that_are_no_mail_are_kept_in_quarantine(db: Session, raw: bytes) -> None:
    imported = arrive(db, raw, "odd.eml")

    (reading,) = readings_of(db, imported.mail_id)
    assert imported.endings == (Ending.QUARANTINED,)
    assert reading.reason
    assert db.get_one(MailRaw, imported.mail_id).size == len(raw)
    assert mail_of(db, imported.mail_id).subject == "odd.eml"
    assert arrive(db, raw, "odd.eml").is_new is False


def test_the_readings_of_one_mail_end_each_in_their_own_way(db: Session) -> None:
    known = make_job(db, "Known")
    make_job(db, "Filed away", archived=True, customer_id=_customer_of(db, known))

    imported = arrive(db, digest_mail(("Known", "Success"), ("New", "Failed"), ("Filed away", "Success")))

    assert imported.endings == (Ending.RUN, Ending.INBOX, Ending.ARCHIVED)
    assert [run.status for run in runs_of(db, known)] == [Status.SUCCESS]
    assert mail_of(db, imported.mail_id).location is Location.INBOX
    assert broken_promises(db) == {}


def test_a_mail_of_an_archived_job_is_counted_there_and_not_shown_in_the_inbox(db: Session) -> None:
    job_id = make_job(db, archived=True)

    imported = arrive(db, report_mail())

    (reading,) = readings_of(db, imported.mail_id)
    assert (reading.outcome, reading.job_id) == (Ending.ARCHIVED, job_id)
    assert mail_of(db, imported.mail_id).location is Location.PROCESSED
    assert runs_of(db, job_id) == []


def test_an_unreadable_mail_of_an_archived_job_is_not_shown_in_the_inbox_either(db: Session) -> None:
    job_id = make_job(db, archived=True, origin="OAK-VBR")

    imported = arrive(db, report_mail(cut=True, origin="OAK-VBR"))

    (reading,) = readings_of(db, imported.mail_id)
    assert (reading.outcome, reading.job_id) == (Ending.ARCHIVED, job_id)


def test_mails_of_an_inactive_customers_job_still_make_runs(db: Session) -> None:
    job_id = make_job(db, customer_id=make_customer(db, active=False))

    arrive(db, report_mail())

    assert len(runs_of(db, job_id)) == 1


def test_an_event_makes_no_run_and_does_not_wait(db: Session) -> None:
    imported = arrive(db, trial_mail())

    assert imported.endings == (Ending.EVENT,)
    assert mail_of(db, imported.mail_id).location is Location.PROCESSED
    assert count_of(db, JobRun) == 0


def test_an_alert_of_a_known_job_is_a_run_with_its_trouble(db: Session) -> None:
    job_id = make_job(db, "oak", software="Kopia", backup_type="Operation error", origin="oak", kind=Kind.ALERT_ONLY)

    arrive(db, alert_mail())

    assert [run.status for run in runs_of(db, job_id)] == [Status.FAILED]


def test_a_mail_that_no_parser_knows_waits_in_the_inbox(db: Session) -> None:
    imported = arrive(db, rubbish_mail())

    (reading,) = readings_of(db, imported.mail_id)
    assert (reading.outcome, reading.inbox_reason) == (Ending.INBOX, InboxReason.UNRECOGNISED)


def test_an_unreadable_mail_of_one_known_job_is_an_unreadable_run(db: Session) -> None:
    job_id = make_job(db, origin="OAK-VBR")

    arrive(db, report_mail(cut=True, origin="OAK-VBR"))

    (run,) = runs_of(db, job_id)
    assert run.status is run.raw_status is Status.UNREADABLE
    assert run.message


def test_an_unreadable_mail_that_could_be_of_two_jobs_waits(db: Session) -> None:
    customer_id = make_customer(db)
    make_job(db, origin="OAK-VBR", customer_id=customer_id)
    make_job(db, origin="ELM-VBR", customer_id=customer_id)

    imported = arrive(db, report_mail(cut=True))

    (reading,) = readings_of(db, imported.mail_id)
    assert (reading.outcome, reading.inbox_reason) == (Ending.INBOX, InboxReason.UNREADABLE)
    assert count_of(db, JobRun) == 0


def test_an_unreadable_mail_without_a_job_name_is_of_the_senders_only_job(db: Session) -> None:
    job_id = make_job(db, "All", software="Bacula", backup_type="Backup", origin="maild-fd")

    arrive(db, _nameless("maild-fd"))

    assert [run.status for run in runs_of(db, job_id)] == [Status.UNREADABLE]


def test_an_unreadable_mail_without_a_job_name_of_a_sender_with_two_jobs_waits(db: Session) -> None:
    job_id = make_job(db, "All", software="Bacula", backup_type="Backup", origin="maild-fd")
    make_job(db, "Other")

    imported = arrive(db, _nameless("maild-fd"))

    assert imported.endings == (Ending.INBOX,)
    assert runs_of(db, job_id) == []


@pytest.mark.parametrize(
    "received_at, sent_at, expected, source",
    [
        (NIGHT + timedelta(hours=1), NIGHT, NIGHT + timedelta(hours=1), "received"),
        (None, NIGHT, NIGHT, "date"),
        (None, None, NOW, "import"),
    ],
)
def test_a_run_is_dated_by_its_arrival_and_says_how_that_is_known(
    db: Session, received_at: datetime | None, sent_at: datetime | None, expected: datetime, source: str
) -> None:
    job_id = make_job(db)

    imported = arrive(db, report_mail(received_at=received_at, sent_at=sent_at))

    assert [run.run_at for run in runs_of(db, job_id)] == [expected]
    assert mail_of(db, imported.mail_id).received_source == source


def test_the_mailboxs_own_time_of_arrival_comes_first(db: Session) -> None:
    job_id = make_job(db)
    told = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)

    import_mail(db, _from_graph("AAk=", report_mail(received_at=NIGHT), received_at=told), now=NOW)

    assert [run.run_at for run in runs_of(db, job_id)] == [told]


def test_wall_clock_times_are_of_the_customers_zone(db: Session) -> None:
    job_id = make_job(db, customer_id=make_customer(db, time_zone="America/New_York"))

    arrive(db, report_mail())

    (run,) = runs_of(db, job_id)
    assert run.started_at == datetime(2026, 3, 3, 3, 0, 6, tzinfo=UTC)


def test_the_raw_mail_is_kept_only_when_asked(db: Session) -> None:
    import_mail(db, delivery(report_mail()), now=NOW, keep_raw=False)

    assert count_of(db, MailMessage) == 1
    assert count_of(db, MailRaw) == 0


def _from_graph(graph_id: str, raw: bytes, *, received_at: datetime | None = None) -> Delivery:
    return Delivery(source=Source.GRAPH, raw=raw, graph_id=graph_id, received_at=received_at)


def _forwarded(raw: bytes) -> bytes:
    head = (
        b"From: it@oak.example\nSubject: FW: see attachment\nDate: Tue, 03 Mar 2026 06:00:00 +0000\n"
        b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=B\n\n"
    )
    return head + b"--B\nContent-Type: message/rfc822\n\n" + raw + b"\n--B--\n"


def _nameless(client: str) -> bytes:
    """Bacula's subject alone, with a body that never came."""
    return mail(f"Bacula: Backup OK of {client} Incremental", "\n")


def _customer_of(db: Session, job_id: int) -> int:
    from shared.models.jobs import Job

    return db.get_one(Job, job_id).customer_id
