"""Out of the inbox and back: nothing is lost, nothing comes twice."""

import pytest
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, InboxReason, Location
from shared.domain.status import Status
from shared.models.mail import MailMessage
from shared.services.audit import Actor
from shared.services.dismiss_mail import dismiss_mails, reparse_mails, restore_mail, undo_duplicate
from shared.services.edit_job import archive_job, delete_job
from shared.services.errors import Conflict, NotFound
from tests.builders import NOW, arrive, count_of, mail_of, make_job, make_user, readings_of, runs_of
from tests.ledger import broken_promises
from tests.mails import digest_mail, report_mail, rubbish_mail


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


def endings(db: Session, mail_id: int) -> list[Ending]:
    return [reading.outcome for reading in readings_of(db, mail_id)]


def test_a_dismissed_mail_is_deleted_and_says_by_whom_when_and_why(db: Session, actor: Actor) -> None:
    mail_id = arrive(db, rubbish_mail()).mail_id

    assert dismiss_mails(db, [mail_id], actor=actor, reason="lunch", now=NOW) == 1

    message, (reading,) = mail_of(db, mail_id), readings_of(db, mail_id)
    assert (message.location, message.deleted_by, message.deleted_at, message.delete_reason) == (
        Location.DELETED,
        actor.user_id,
        NOW,
        "lunch",
    )
    assert (reading.outcome, reading.dismissed_by) == (Ending.DISMISSED, actor.user_id)


def test_dismissing_twice_is_harmless_and_a_deleted_mail_does_not_come_in_again(db: Session, actor: Actor) -> None:
    mail_id = arrive(db, rubbish_mail(), "lunch.eml").mail_id
    dismiss_mails(db, [mail_id], actor=actor, reason="", now=NOW)

    assert dismiss_mails(db, [mail_id, mail_id], actor=actor, reason="", now=NOW) == 0
    assert arrive(db, rubbish_mail(), "lunch.eml").is_new is False
    assert arrive(db, rubbish_mail(), "copy.eml").endings == (Ending.DUPLICATE,)


def test_dismissing_what_waits_of_a_mail_leaves_its_runs_alone(db: Session, actor: Actor) -> None:
    job_id = make_job(db, "Known")
    mail_id = arrive(db, digest_mail(("Known", "Success"), ("New", "Failed"))).mail_id

    dismiss_mails(db, [mail_id], actor=actor, reason="", now=NOW)

    assert endings(db, mail_id) == [Ending.RUN, Ending.DISMISSED]
    assert mail_of(db, mail_id).location is Location.PROCESSED
    assert len(runs_of(db, job_id)) == 1


def test_a_restored_mail_is_read_as_if_it_came_in_now(db: Session, actor: Actor) -> None:
    mail_id = arrive(db, report_mail(status="Failed")).mail_id
    dismiss_mails(db, [mail_id], actor=actor, reason="", now=NOW)
    job_id = make_job(db)

    restore_mail(db, mail_id, actor=actor, now=NOW)

    assert [run.status for run in runs_of(db, job_id)] == [Status.FAILED]
    assert (mail_of(db, mail_id).location, mail_of(db, mail_id).deleted_at) == (Location.PROCESSED, None)
    assert broken_promises(db) == {}


def test_a_restored_mail_of_which_an_event_was_settled_comes_back_whole(db: Session, actor: Actor) -> None:
    make_job(db, "Filed away", archived=True)
    mail_id = arrive(db, digest_mail(("Filed away", "Success"), ("New", "Failed"))).mail_id
    dismiss_mails(db, [mail_id], actor=actor, reason="", now=NOW)
    assert mail_of(db, mail_id).location is Location.DELETED

    restore_mail(db, mail_id, actor=actor, now=NOW)

    assert endings(db, mail_id)[1] is Ending.INBOX
    assert broken_promises(db) == {}


def test_a_mail_of_a_deleted_job_can_be_restored_to_the_inbox(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    mail_id = arrive(db, report_mail()).mail_id
    archive_job(db, job_id, actor=actor, now=NOW)
    delete_job(db, job_id, actor=actor, now=NOW)

    restore_mail(db, mail_id, actor=actor, now=NOW)

    (reading,) = readings_of(db, mail_id)
    assert (reading.outcome, reading.inbox_reason) == (Ending.INBOX, InboxReason.NEW_JOB)
    assert broken_promises(db) == {}


def test_what_still_waits_beside_a_deleted_jobs_run_can_be_dismissed_and_restored(db: Session, actor: Actor) -> None:
    job_id = make_job(db, "Known")
    mail_id = arrive(db, digest_mail(("Known", "Success"), ("New", "Failed"))).mail_id
    archive_job(db, job_id, actor=actor, now=NOW)
    delete_job(db, job_id, actor=actor, now=NOW)

    dismiss_mails(db, [mail_id], actor=actor, reason="", now=NOW)
    restore_mail(db, mail_id, actor=actor, now=NOW)

    assert endings(db, mail_id) == [Ending.INBOX, Ending.INBOX]
    assert broken_promises(db) == {}


@pytest.mark.parametrize("undo", [restore_mail, undo_duplicate])
def test_only_what_is_so_can_be_undone(db: Session, actor: Actor, undo: object) -> None:
    mail_id = arrive(db, rubbish_mail()).mail_id

    with pytest.raises(Conflict):
        undo(db, mail_id, actor=actor, now=NOW)
    with pytest.raises(NotFound):
        undo(db, mail_id + 1, actor=actor, now=NOW)


def test_a_duplicate_that_is_none_gets_its_run(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    arrive(db, report_mail())
    copy = arrive(db, report_mail()).mail_id

    undo_duplicate(db, copy, actor=actor, now=NOW)

    assert endings(db, copy) == [Ending.RUN]
    assert len(runs_of(db, job_id)) == 2
    assert broken_promises(db) == {}


def test_a_further_copy_is_still_a_duplicate_of_the_first(db: Session, actor: Actor) -> None:
    first = arrive(db, report_mail()).mail_id
    undo_duplicate(db, arrive(db, report_mail()).mail_id, actor=actor, now=NOW)

    third = arrive(db, report_mail())

    assert (third.endings, mail_of(db, third.mail_id).duplicate_of_id) == ((Ending.DUPLICATE,), first)


def test_a_duplicate_is_undone_once(db: Session, actor: Actor) -> None:
    arrive(db, report_mail())
    copy = arrive(db, report_mail()).mail_id
    undo_duplicate(db, copy, actor=actor, now=NOW)

    with pytest.raises(Conflict):
        undo_duplicate(db, copy, actor=actor, now=NOW)


def test_reading_again_gives_a_waiting_mail_to_the_job_that_is_known_by_now(db: Session) -> None:
    mail_id = arrive(db, report_mail()).mail_id
    unknown = arrive(db, rubbish_mail()).mail_id
    job_id = make_job(db)

    assert reparse_mails(db, [mail_id, unknown]) == 1

    assert endings(db, mail_id) == [Ending.RUN]
    assert endings(db, unknown) == [Ending.INBOX]
    assert len(runs_of(db, job_id)) == 1
    assert reparse_mails(db, [mail_id]) == 0
    assert count_of(db, MailMessage) == 2


def test_reading_again_leaves_a_mail_alone_of_which_a_run_was_made(db: Session) -> None:
    job_id = make_job(db, "Known")
    mail_id = arrive(db, digest_mail(("Known", "Success"), ("New", "Failed"))).mail_id

    reparse_mails(db, [mail_id])

    assert endings(db, mail_id) == [Ending.RUN, Ending.INBOX]
    assert len(runs_of(db, job_id)) == 1
