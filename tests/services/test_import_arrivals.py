"""Mails that a mailbox handed over take their place among the mails: each once, whatever dies meanwhile."""

import random
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, MimeState, Source
from shared.domain.status import Status
from shared.models.mail import MailMessage, MailRaw, MailReading
from shared.models.mailbox import MailArrival, MailMove
from shared.models.system import SystemSettings
from shared.services.import_arrivals import MAX_STARTS, ArrivalsImported, import_arrivals
from tests.builders import NOW, count_of, make_arrival, make_job, nights, readings_of, runs_of
from tests.fake_graph.eml import make_eml
from tests.ledger import broken_promises
from tests.mails import digest_mail, report_mail, rubbish_mail, trial_mail, update_mail


def bring_in(db: Session, arrival_ids: Sequence[int]) -> ArrivalsImported:
    db.commit()
    return import_arrivals(arrival_ids, clock=lambda: NOW)


def only_mail(db: Session) -> MailMessage:
    return db.scalars(select(MailMessage).execution_options(populate_existing=True)).one()


def arrival(db: Session, arrival_id: int) -> MailArrival:
    db.rollback()
    return db.get_one(MailArrival, arrival_id, populate_existing=True)


def forwarded(report: bytes) -> bytes:
    return make_eml(
        subject="Fwd: see attached", body="See below.", sender="Bo <bo@oak.example>", html=False, sent_at=NOW,
        attachment=report,
    )  # fmt: skip


def answer_with(db: Session, arrival_id: int, mime: MimeState, raw: bytes | None = None) -> None:
    """Let the mailbox have answered the question for the whole mail."""
    db.rollback()
    row = db.get_one(MailArrival, arrival_id, populate_existing=True)
    row.mime, row.raw = mime, zlib.compress(raw) if raw is not None else None
    db.commit()


def crash(db: Session, *, sqlstate: str, times: int = 1_000) -> None:
    """Let the database refuse the mail with the object BAD, so many times, with this error."""
    db.execute(
        text(f"""
        CREATE SEQUENCE tries;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF new.name = 'BAD' AND nextval('tries') <= {times} THEN
                RAISE EXCEPTION 'refused' USING ERRCODE = '{sqlstate}';
            END IF;
            RETURN new;
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON mail_objects FOR EACH ROW EXECUTE FUNCTION refuse();
        """)
    )
    db.commit()


def a_bad_one_between_two_good_ones(db: Session) -> list[int]:
    named = zip(("GOOD", "BAD", "BETTER"), nights(3), strict=True)
    return [make_arrival(db, report_mail(objects=(name,), sent_at=at), mime=MimeState.GONE) for name, at in named]


def test_an_arrival_becomes_a_mail_with_its_run(committed_db: Session) -> None:
    job_id = make_job(committed_db)
    arrival_id = make_arrival(committed_db, report_mail(), graph_id="AAMk1")

    done = bring_in(committed_db, [arrival_id])

    mail = only_mail(committed_db)
    assert (mail.source, mail.graph_id, mail.received_at, mail.received_source) == (
        Source.GRAPH,
        "AAMk1",
        NOW,
        "mailbox",
    )
    assert [run.run_at for run in runs_of(committed_db, job_id)] == [NOW]
    assert (done.summary.new, done.summary.outcomes) == (1, {"run": 1})
    assert count_of(committed_db, MailArrival) == count_of(committed_db, MailRaw) == 0
    assert broken_promises(committed_db) == {}


def test_an_arrival_that_is_gone_has_been_imported(committed_db: Session) -> None:
    arrival_id = make_arrival(committed_db, report_mail())
    bring_in(committed_db, [arrival_id])

    done = bring_in(committed_db, [arrival_id, 4_711])

    assert done.summary.fetched == 0
    assert count_of(committed_db, MailMessage) == 1


def test_what_comes_in_is_to_be_moved_whatever_its_outcome(committed_db: Session) -> None:
    arrival_ids = [make_arrival(committed_db, raw) for raw in (report_mail(), rubbish_mail(), trial_mail())]

    bring_in(committed_db, arrival_ids)

    moves = committed_db.scalars(select(MailMove)).all()
    assert {move.mail_id for move in moves} == set(committed_db.scalars(select(MailMessage.id)))
    assert broken_promises(committed_db) == {}


def test_nothing_is_moved_where_that_is_not_wanted(committed_db: Session) -> None:
    committed_db.execute(update(SystemSettings).values(move_processed=False))

    bring_in(committed_db, [make_arrival(committed_db, report_mail())])

    assert count_of(committed_db, MailMove) == 0


def test_a_report_that_was_forwarded_as_an_attachment_is_wanted_as_a_whole(committed_db: Session) -> None:
    arrival_id = make_arrival(committed_db, forwarded(report_mail()))

    done = bring_in(committed_db, [arrival_id])

    assert (done.wanted, done.summary.fetched) == (1, 0)
    assert arrival(committed_db, arrival_id).mime is MimeState.WANTED
    assert count_of(committed_db, MailMessage) == 0


def test_a_wanted_mail_waits_however_often_it_is_given_out(committed_db: Session) -> None:
    arrival_id = make_arrival(committed_db, forwarded(report_mail()))
    bring_in(committed_db, [arrival_id])

    for _ in range(MAX_STARTS + 2):
        bring_in(committed_db, [arrival_id])

    assert (arrival(committed_db, arrival_id).mime, count_of(committed_db, MailMessage)) == (MimeState.WANTED, 0)


def test_the_whole_mail_is_read_and_kept_when_it_is_there(committed_db: Session) -> None:
    job_id, raw = make_job(committed_db), forwarded(report_mail())
    arrival_id = make_arrival(committed_db, raw)
    bring_in(committed_db, [arrival_id])
    answer_with(committed_db, arrival_id, MimeState.FETCHED, raw)

    bring_in(committed_db, [arrival_id])

    assert len(runs_of(committed_db, job_id)) == 1
    assert zlib.decompress(committed_db.scalars(select(MailRaw.content)).one()) == raw


def test_without_days_to_keep_it_the_whole_mail_is_not_kept(committed_db: Session) -> None:
    committed_db.execute(update(SystemSettings).values(raw_days=0))
    raw = forwarded(report_mail())
    arrival_id = make_arrival(committed_db, raw)
    committed_db.commit()
    answer_with(committed_db, arrival_id, MimeState.FETCHED, raw)

    bring_in(committed_db, [arrival_id])

    assert (count_of(committed_db, MailMessage), count_of(committed_db, MailRaw)) == (1, 0)


def test_a_mail_whose_whole_is_gone_comes_in_as_its_message_tells_it(committed_db: Session) -> None:
    arrival_id = make_arrival(committed_db, forwarded(report_mail()))
    bring_in(committed_db, [arrival_id])
    answer_with(committed_db, arrival_id, MimeState.GONE)

    done = bring_in(committed_db, [arrival_id])

    assert done.summary.outcomes == {"inbox": 1}
    assert only_mail(committed_db).subject == "Fwd: see attached"


def test_a_report_that_is_readable_is_not_asked_for_because_of_its_attachments(committed_db: Session) -> None:
    report = make_eml(
        subject="[Success] Nightly (2 objects)", body=body_of(report_mail()), sender="backup@oak.example", html=False,
        sent_at=NOW, attachment=rubbish_mail(),
    )  # fmt: skip

    done = bring_in(committed_db, [make_arrival(committed_db, report)])

    assert (done.wanted, done.summary.fetched) == (0, 1)


def body_of(raw: bytes) -> str:
    return raw.partition(b"\n\n")[2].decode()


def test_a_message_that_is_none_is_wanted_as_a_whole_and_then_quarantined(committed_db: Session) -> None:
    arrival_id = make_arrival(committed_db, report_mail())
    committed_db.get_one(MailArrival, arrival_id).content = zlib.compress(b'{"subject": "Odd one", "body": 7}')

    wanted = bring_in(committed_db, [arrival_id])
    answer_with(committed_db, arrival_id, MimeState.GONE)
    done = bring_in(committed_db, [arrival_id])

    (reading,) = readings_of(committed_db, only_mail(committed_db).id)
    assert (wanted.wanted, done.summary.outcomes) == (1, {"quarantined": 1})
    assert reading.reason == "not a message as Graph sends it: body"
    assert (only_mail(committed_db).subject, count_of(committed_db, MailRaw)) == ("Odd one", 0)
    assert broken_promises(committed_db) == {}


def test_a_mail_that_crashes_the_import_is_quarantined_and_the_others_come_in(committed_db: Session) -> None:
    crash(committed_db, sqlstate="22003")
    arrival_ids = a_bad_one_between_two_good_ones(committed_db)

    done = bring_in(committed_db, arrival_ids)

    assert done.summary.outcomes == {"inbox": 2, "quarantined": 1}
    reason = committed_db.scalars(select(MailReading.reason).where(MailReading.outcome == Ending.QUARANTINED)).one()
    assert reason == "the import crashed: DataError"
    assert count_of(committed_db, MailArrival) == 0


def test_a_mail_that_crashes_the_import_is_asked_for_as_a_whole_before_it_is_given_up(committed_db: Session) -> None:
    """So its bytes are here when somebody has mended us."""
    crash(committed_db, sqlstate="22003")

    done = bring_in(committed_db, [make_arrival(committed_db, report_mail(objects=("BAD",)))])

    assert done.wanted == 1
    assert count_of(committed_db, MailMessage) == 0


def test_a_mail_that_crashed_the_import_once_comes_in(committed_db: Session) -> None:
    crash(committed_db, sqlstate="40P01", times=1)

    done = bring_in(committed_db, [make_arrival(committed_db, report_mail(objects=("BAD",)))])

    assert done.summary.outcomes == {"inbox": 1}


def test_a_database_that_is_gone_leaves_the_rest_waiting(committed_db: Session) -> None:
    crash(committed_db, sqlstate="57P01", times=1)
    arrival_ids = a_bad_one_between_two_good_ones(committed_db)

    with pytest.raises(OperationalError):
        bring_in(committed_db, arrival_ids)
    later = bring_in(committed_db, arrival_ids)

    assert later.summary.outcomes == {"inbox": 2}
    assert (count_of(committed_db, MailMessage), count_of(committed_db, MailArrival)) == (3, 0)


def test_a_mail_that_kills_its_worker_is_quarantined_in_the_end(committed_db: Session) -> None:
    killer, other = (
        make_arrival(committed_db, report_mail(), mime=MimeState.GONE),
        make_arrival(committed_db, rubbish_mail()),
    )
    committed_db.get_one(MailArrival, killer).attempts = MAX_STARTS

    done = bring_in(committed_db, [killer, other])

    assert done.summary.outcomes == {"quarantined": 1, "inbox": 1}
    reason = committed_db.scalars(select(MailReading.reason).where(MailReading.outcome == Ending.QUARANTINED)).one()
    assert reason == f"the import died {MAX_STARTS} times"


def test_those_behind_a_mail_that_kills_its_worker_are_not_blamed(committed_db: Session) -> None:
    crash(committed_db, sqlstate="57P01")  # to the mails it is the same as a worker that dies
    arrival_ids = a_bad_one_between_two_good_ones(committed_db)

    for _ in range(MAX_STARTS):
        with pytest.raises(OperationalError):
            bring_in(committed_db, arrival_ids)
    waiting = [(each.id, each.attempts) for each in committed_db.scalars(select(MailArrival))]
    bring_in(committed_db, arrival_ids)

    assert waiting == [(arrival_ids[1], MAX_STARTS)]
    endings = committed_db.scalars(select(MailReading.outcome).order_by(MailReading.id)).all()
    assert endings == [Ending.INBOX, Ending.INBOX, Ending.QUARANTINED]


def test_a_start_that_ends_with_its_worker_is_counted(committed_db: Session) -> None:
    crash(committed_db, sqlstate="57P01")  # to the mail it is the same as a worker that dies
    arrival_id = make_arrival(committed_db, report_mail(objects=("BAD",)), mime=MimeState.GONE)
    counts = []

    for _ in range(MAX_STARTS):
        with pytest.raises(OperationalError):
            bring_in(committed_db, [arrival_id])
        counts.append(arrival(committed_db, arrival_id).attempts)
    done = bring_in(committed_db, [arrival_id])

    assert counts == [1, 2, 3, 4, 5]
    assert done.summary.outcomes == {"quarantined": 1}


@pytest.mark.parametrize("_", range(2))
def test_eight_workers_with_the_same_mails_bring_each_in_once_and_blame_none(committed_db: Session, _: int) -> None:
    job_id = make_job(committed_db)
    arrival_ids = [make_arrival(committed_db, report_mail(sent_at=at)) for at in nights(12)]
    committed_db.commit()

    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda _: import_arrivals(arrival_ids, clock=lambda: NOW), range(8)))

    assert sum(each.summary.new for each in done) == 12
    assert len(runs_of(committed_db, job_id)) == 12
    assert count_of(committed_db, MailArrival) == 0
    assert broken_promises(committed_db) == {}


MAKERS: tuple[Callable[[], bytes], ...] = (
    lambda: report_mail(sent_at=nights(2)[0]),
    lambda: report_mail(sent_at=nights(2)[1], status="Failed"),
    lambda: report_mail("New", sent_at=nights(2)[0]),
    lambda: digest_mail(("Nightly", "Success"), ("Else", "Failed"), sent_at=nights(2)[0]),
    lambda: report_mail(sent_at=nights(2)[0]),  # the same report, delivered twice
    trial_mail,
    lambda: update_mail(sent_at=None),
    rubbish_mail,
    lambda: forwarded(report_mail("Databases")),
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.integers(0, len(MAKERS) - 1), max_size=9), max_size=4), last=st.randoms())
def test_in_whatever_order_and_however_often_mails_are_given_out_the_ledger_is_the_same(
    committed_db: Session, batches: list[list[int]], last: random.Random
) -> None:
    """Batches as queues hand them out: mixed, repeated, some late; the whole mail may come between any two of them."""
    committed_db.rollback()
    committed_db.execute(text("TRUNCATE mail_messages, mail_arrivals, customers CASCADE"))
    job_id = make_job(committed_db)
    arrival_ids = [make_arrival(committed_db, make()) for make in MAKERS]
    everything = list(range(len(MAKERS)))
    last.shuffle(everything)

    for batch in [*batches, everything, everything]:
        bring_in(committed_db, [arrival_ids[number] for number in batch])
        answer_what_is_wanted(committed_db)
    bring_in(committed_db, arrival_ids)

    endings = Counter(committed_db.scalars(select(MailReading.outcome)))
    assert endings == {Ending.RUN: 3, Ending.INBOX: 5, Ending.DUPLICATE: 1, Ending.EVENT: 1}
    assert Counter(run.raw_status for run in runs_of(committed_db, job_id)) == {Status.SUCCESS: 2, Status.FAILED: 1}
    assert count_of(committed_db, MailArrival) == 0
    assert broken_promises(committed_db) == {}


def answer_what_is_wanted(db: Session) -> None:
    db.rollback()
    for wanted in db.scalars(select(MailArrival.id).where(MailArrival.mime == MimeState.WANTED)).all():
        answer_with(db, wanted, MimeState.FETCHED, MAKERS[-1]())
