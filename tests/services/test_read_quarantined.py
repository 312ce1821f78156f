"""Mails that could not be read when they came in: read again, dismissed, brought back."""

import re
from email.utils import format_datetime

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from shared.domain.mailflow import Delivery, Ending, InboxReason, Location, Source
from shared.domain.status import Status
from shared.models.mail import MailRaw
from shared.services import read_quarantined as service
from shared.services.audit import Actor
from shared.services.dismiss_mail import dismiss_mails, restore_mail
from shared.services.import_mail import quarantine_mail
from shared.services.read_quarantined import read_quarantined
from tests.builders import NOW, arrive, delivery, mail_of, make_job, make_user, nights, readings_of, runs_of
from tests.ledger import broken_promises
from tests.mails import NIGHT, digest_mail, report_mail, rubbish_mail, trial_mail

NO_MAIL = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


def quarantined(db: Session, raw: bytes, reason: str = "the import crashed: KeyError") -> int:
    """Let a mail come in that an earlier version could not handle; return its id."""
    return quarantine_mail(db, delivery(raw), reason, now=NOW).mail_id


def endings(db: Session, mail_id: int) -> list[Ending]:
    return [reading.outcome for reading in readings_of(db, mail_id)]


def reason(db: Session, mail_id: int) -> str:
    return readings_of(db, mail_id)[0].reason


def test_a_report_of_a_known_job_becomes_its_run(db: Session) -> None:
    job_id = make_job(db)
    mail_id = quarantined(db, report_mail(status="Failed"))

    assert read_quarantined(db, [mail_id]) == 1

    assert endings(db, mail_id) == [Ending.RUN]
    assert [(run.status, run.run_at) for run in runs_of(db, job_id)] == [(Status.FAILED, NIGHT)]
    assert broken_promises(db) == {}


@pytest.mark.parametrize(
    "raw, expected",
    [
        (rubbish_mail(), [Ending.INBOX]),
        (digest_mail(("One", "Success"), ("Two", "Failed")), [Ending.INBOX, Ending.INBOX]),
        (trial_mail(), [Ending.EVENT]),
    ],
)
def test_any_other_mail_becomes_what_it_would_be_today(db: Session, raw: bytes, expected: list[Ending]) -> None:
    mail_id = quarantined(db, raw)

    read_quarantined(db, [mail_id])

    assert endings(db, mail_id) == expected
    assert broken_promises(db) == {}


def test_everything_that_an_import_stores_is_stored(db: Session) -> None:
    mail_id = quarantined(db, report_mail(message_id="<1@oak.example>"))
    again = arrive(db, report_mail("Other", message_id="<1@oak.example>")).mail_id
    later = b"Date: " + format_datetime(nights(2)[1]).encode()
    by_import = arrive(db, re.sub(rb"(?m)^Date:.*$", later, report_mail())).mail_id

    read_quarantined(db, [mail_id])

    read, imported = mail_of(db, mail_id), mail_of(db, by_import)
    for column in ("from_address", "from_name", "subject", "text_body", "html_body", "attachments", "received_source"):
        assert getattr(read, column) == getattr(imported, column)
    assert (read.sent_at, read.received_at, read.imported_at) == (NIGHT, NIGHT, NOW)
    assert (read.message_id, read.message_id_seen_before) == ("<1@oak.example>", True)
    assert again != mail_id


def test_a_mailbox_knows_better_than_the_mail_when_it_came(db: Session) -> None:
    came_at = nights(3)[2]
    from_graph = Delivery(source=Source.GRAPH, raw=report_mail(), graph_id="AAMk", received_at=came_at)
    mail_id = quarantine_mail(db, from_graph, "the import crashed: KeyError", now=NOW).mail_id

    read_quarantined(db, [mail_id])

    assert (mail_of(db, mail_id).received_at, mail_of(db, mail_id).received_source) == (came_at, "mailbox")


def test_what_is_still_no_mail_stays_and_says_why_today(db: Session) -> None:
    mail_id = quarantined(db, NO_MAIL, "said long ago")

    assert read_quarantined(db, [mail_id]) == 0

    assert (endings(db, mail_id), reason(db, mail_id)) == ([Ending.QUARANTINED], "it has no headers")
    assert broken_promises(db) == {}


def test_a_bug_that_is_still_there_stops_no_other_mail(
    db: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mails = [quarantined(db, rubbish_mail(subject)) for subject in ("One", "Poison", "Three")]
    plan = service.plan_mail

    def poisoned(db: Session, mail: object) -> object:
        if getattr(mail, "subject", "") == "Poison":
            raise KeyError("poison")
        return plan(db, mail)

    monkeypatch.setattr(service, "plan_mail", poisoned)

    assert read_quarantined(db, mails) == 2

    assert [endings(db, mail_id) for mail_id in mails] == [[Ending.INBOX], [Ending.QUARANTINED], [Ending.INBOX]]
    assert reason(db, mails[1]) == "reading it crashed: KeyError"
    assert mail_of(db, mails[1]).from_address == ""
    assert "reading a quarantined mail crashed" in caplog.text
    assert broken_promises(db) == {}


def test_a_report_that_came_in_well_before_is_a_duplicate(db: Session) -> None:
    first = arrive(db, report_mail()).mail_id
    mail_id = quarantined(db, report_mail())

    read_quarantined(db, [mail_id])

    assert (endings(db, mail_id), mail_of(db, mail_id).duplicate_of_id) == ([Ending.DUPLICATE], first)
    assert broken_promises(db) == {}


def test_of_two_equal_reports_one_is_the_duplicate_and_a_later_copy_too(db: Session) -> None:
    mails = [quarantined(db, report_mail()) for _ in range(2)]

    assert read_quarantined(db, mails) == 2

    assert [endings(db, mail_id) for mail_id in mails] == [[Ending.INBOX], [Ending.DUPLICATE]]
    assert arrive(db, report_mail()).endings == (Ending.DUPLICATE,)


def test_without_its_bytes_it_stays_as_it_is(db: Session, actor: Actor) -> None:
    mail_id = quarantined(db, report_mail(), "the import crashed: KeyError")
    db.execute(delete(MailRaw))

    assert read_quarantined(db, [mail_id]) == 0
    dismiss_mails(db, [mail_id], actor=actor, reason="", now=NOW)
    restore_mail(db, mail_id, actor=actor, now=NOW)

    assert (endings(db, mail_id), reason(db, mail_id)) == ([Ending.QUARANTINED], "the import crashed: KeyError")
    assert broken_promises(db) == {}


def test_mails_that_are_not_quarantined_are_left_alone(db: Session) -> None:
    job_id = make_job(db)
    run, waiting = arrive(db, report_mail()).mail_id, arrive(db, rubbish_mail()).mail_id
    mail_id = quarantined(db, report_mail(sent_at=nights(2)[1]))

    assert read_quarantined(db, [run, waiting, mail_id, mail_id]) == 1
    assert read_quarantined(db, [run, waiting, mail_id]) == 0

    assert len(runs_of(db, job_id)) == 2


def test_a_dismissed_one_is_deleted_with_who_when_and_why(db: Session, actor: Actor) -> None:
    mail_id = quarantined(db, NO_MAIL)

    assert dismiss_mails(db, [mail_id], actor=actor, reason="a logo", now=NOW) == 1
    assert dismiss_mails(db, [mail_id], actor=actor, reason="again", now=NOW) == 0

    message, (reading,) = mail_of(db, mail_id), readings_of(db, mail_id)
    assert (message.location, message.deleted_by, message.delete_reason) == (Location.DELETED, actor.user_id, "a logo")
    assert (reading.outcome, reading.dismissed_at) == (Ending.DISMISSED, NOW)
    assert read_quarantined(db, [mail_id]) == 0
    assert broken_promises(db) == {}


def test_one_that_is_brought_back_is_read_from_its_bytes(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    report, logo = quarantined(db, report_mail()), quarantined(db, NO_MAIL)
    dismiss_mails(db, [report, logo], actor=actor, reason="", now=NOW)

    for mail_id in (report, logo):
        restore_mail(db, mail_id, actor=actor, now=NOW)

    assert (endings(db, report), len(runs_of(db, job_id))) == ([Ending.RUN], 1)
    assert (endings(db, logo), reason(db, logo)) == ([Ending.QUARANTINED], "it has no headers")
    assert mail_of(db, logo).location is Location.PROCESSED
    assert broken_promises(db) == {}


def test_one_that_became_a_waiting_mail_is_handled_like_any_other(db: Session, actor: Actor) -> None:
    mail_id = quarantined(db, report_mail())
    read_quarantined(db, [mail_id])

    dismiss_mails(db, [mail_id], actor=actor, reason="", now=NOW)
    db.execute(delete(MailRaw))
    restore_mail(db, mail_id, actor=actor, now=NOW)

    (reading,) = readings_of(db, mail_id)
    assert (reading.outcome, reading.inbox_reason) == (Ending.INBOX, InboxReason.NEW_JOB)
