"""Two people, two processes, one database: real connections, and one of them is always told."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.session import transaction
from shared.domain.mailflow import Ending
from shared.domain.status import Status
from shared.models.jobs import Job, JobRun
from shared.models.mail import MailMessage
from shared.services.approve_reading import NewJob, approve_reading
from shared.services.audit import Actor
from shared.services.dismiss_mail import dismiss_mails
from shared.services.errors import Refusal
from shared.services.import_mail import import_mail, quarantine_mail
from shared.services.read_quarantined import read_quarantined
from shared.services.review_runs import Reviewed, review_runs
from tests.builders import (
    NOW,
    arrive,
    count_of,
    delivery,
    make_customer,
    make_job,
    make_run,
    make_user,
    nights,
    readings_of,
    runs_of,
)
from tests.ledger import broken_promises
from tests.mails import NIGHT, digest_mail, report_mail

ROUNDS = range(2)


def all_at_once(acts: Sequence[Callable[[Session], object]]) -> list[object]:
    """Do each act in a transaction of its own, all starting together; return the answers, or what was raised."""
    ready = Barrier(len(acts))

    def do(act: Callable[[Session], object]) -> object:
        ready.wait()
        try:
            with transaction() as db:
                return act(db)
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(do, acts))


@pytest.fixture
def people(committed_db: Session) -> tuple[Actor, Actor]:
    anna, bert = make_user(committed_db, "anna"), make_user(committed_db, "bert")
    committed_db.commit()
    return anna, bert


@pytest.mark.parametrize("_", ROUNDS)
def test_of_two_who_review_the_same_runs_one_wins_and_the_other_hears_who(
    committed_db: Session, people: tuple[Actor, Actor], _: int
) -> None:
    runs = [make_run(committed_db) for _ in range(8)]
    seen = [(run.id, run.verdict_version) for run in runs]
    committed_db.commit()

    answers = all_at_once([lambda db, who=who: review_runs(db, seen, actor=who, now=NOW) for who in people])

    winner, loser = sorted(answers, key=lambda answer: len(answer.by_others))
    assert isinstance(winner, Reviewed)
    assert winner.run_ids == tuple(run.id for run in runs)
    assert (loser.run_ids, loser.changed) == ((), ())
    assert {run_id for run_id, _ in loser.by_others} == set(winner.run_ids)
    by = {run.reviewed_by for run in committed_db.scalars(select(JobRun).execution_options(populate_existing=True))}
    assert {name for _, name in loser.by_others} == {person.name for person in people if person.user_id in by}


@pytest.mark.parametrize("_", ROUNDS)
def test_reviews_that_overlap_do_not_wait_for_each_other_for_ever(
    committed_db: Session, people: tuple[Actor, Actor], _: int
) -> None:
    runs = [make_run(committed_db) for _ in range(20)]
    seen = [(run.id, run.verdict_version) for run in runs]
    committed_db.commit()

    answers = all_at_once(
        [
            lambda db: review_runs(db, seen[:15], actor=people[0], now=NOW),
            lambda db: review_runs(db, seen[:4:-1], actor=people[1], now=NOW),
        ]
    )

    assert sum(len(answer.run_ids) for answer in answers) == 20


@pytest.mark.parametrize("_", ROUNDS)
def test_of_two_who_approve_the_same_mail_one_is_told(
    committed_db: Session, people: tuple[Actor, Actor], _: int
) -> None:
    customer_id = make_customer(committed_db)
    reading_id = readings_of(committed_db, arrive(committed_db, report_mail()).mail_id)[0].id
    committed_db.commit()

    answers = all_at_once(
        [
            lambda db, who=who: approve_reading(db, reading_id, NewJob(customer_id=customer_id), actor=who, now=NOW)
            for who in people
        ]
    )

    assert [isinstance(answer, Refusal) for answer in answers].count(True) == 1
    assert (count_of(committed_db, Job), count_of(committed_db, JobRun)) == (1, 1)


@pytest.mark.parametrize("_", ROUNDS)
def test_two_who_approve_mails_of_one_origin_make_one_job(
    committed_db: Session, people: tuple[Actor, Actor], _: int
) -> None:
    customers = [make_customer(committed_db), make_customer(committed_db)]
    mails = [arrive(committed_db, report_mail(origin="OAK", sent_at=at)).mail_id for at in nights(2)]
    reading_ids = [readings_of(committed_db, mail_id)[0].id for mail_id in mails]
    committed_db.commit()

    answers = all_at_once(
        [
            lambda db, n=n: approve_reading(
                db, reading_ids[n], NewJob(customer_id=customers[n]), actor=people[n], now=NOW
            )
            for n in range(2)
        ]
    )

    assert [isinstance(answer, Refusal) for answer in answers].count(True) == 1
    assert broken_promises(committed_db) == {}


@pytest.mark.parametrize("_", ROUNDS)
def test_two_who_approve_all_waiting_mails_crosswise_both_get_an_answer(
    committed_db: Session, people: tuple[Actor, Actor], _: int
) -> None:
    customer_id = make_customer(committed_db)
    mails = [arrive(committed_db, report_mail(origin="OAK", sent_at=at)).mail_id for at in nights(6)]
    reading_ids = [readings_of(committed_db, mail_id)[0].id for mail_id in mails]
    committed_db.commit()

    answers = all_at_once(
        [
            lambda db, n=n, who=who: approve_reading(
                db, reading_ids[n], NewJob(customer_id=customer_id), actor=who, now=NOW, and_all_waiting=True
            )
            for n, who in zip((5, 0), people, strict=True)
        ]
    )

    assert [isinstance(answer, Refusal) for answer in answers].count(True) == 1
    assert (count_of(committed_db, Job), count_of(committed_db, JobRun)) == (1, 6)


@pytest.mark.parametrize("_", ROUNDS)
def test_the_same_file_from_four_importers_comes_in_once(committed_db: Session, _: int) -> None:
    job_id = make_job(committed_db)
    file = delivery(report_mail(), "night.eml")
    committed_db.commit()

    answers = all_at_once([lambda db: import_mail(db, file, now=NOW)] * 4)

    assert [answer.is_new for answer in answers].count(True) == 1
    assert {answer.mail_id for answer in answers} == {answers[0].mail_id}
    assert len(runs_of(committed_db, job_id)) == 1


@pytest.mark.parametrize("_", ROUNDS)
def test_the_same_report_in_four_files_makes_one_run(committed_db: Session, _: int) -> None:
    job_id = make_job(committed_db)
    committed_db.commit()

    answers = all_at_once(
        [lambda db, n=n: import_mail(db, delivery(report_mail(), f"{n}.eml"), now=NOW) for n in range(4)]
    )

    assert sorted(answer.endings[0] for answer in answers) == [Ending.DUPLICATE] * 3 + [Ending.RUN]
    assert len(runs_of(committed_db, job_id)) == 1
    assert count_of(committed_db, MailMessage) == 4
    assert broken_promises(committed_db) == {}


@pytest.mark.parametrize("_", ROUNDS)
def test_nights_that_come_in_at_once_are_judged_as_if_one_by_one(committed_db: Session, _: int) -> None:
    job_id = make_job(committed_db)
    listed = [("A", "B")] * 5 + [("A",)] * 2
    reports = [report_mail(objects=objects, sent_at=at) for objects, at in zip(listed, nights(7), strict=True)]
    committed_db.commit()

    all_at_once([lambda db, raw=raw: import_mail(db, delivery(raw), now=NOW) for raw in reports])

    assert [run.status for run in runs_of(committed_db, job_id)] == [Status.SUCCESS] * 5 + [Status.WARNING] * 2


@pytest.mark.parametrize("_", ROUNDS)
def test_digests_that_name_the_same_jobs_in_another_order_both_come_in(committed_db: Session, _: int) -> None:
    customer_id = make_customer(committed_db)
    for name in ("One", "Two"):
        make_job(committed_db, name, customer_id=customer_id)
    orders = (("One", "Success"), ("Two", "Success")), (("Two", "Success"), ("One", "Success"))
    digests = [digest_mail(*orders[n % 2], sent_at=at) for n, at in enumerate(nights(8))]
    committed_db.commit()

    all_at_once([lambda db, raw=raw: import_mail(db, delivery(raw), now=NOW) for raw in digests])

    assert count_of(committed_db, JobRun) == 16
    assert broken_promises(committed_db) == {}


@pytest.mark.parametrize("_", ROUNDS)
def test_of_two_who_read_a_quarantined_mail_again_one_makes_its_run(committed_db: Session, _: int) -> None:
    job_id = make_job(committed_db)
    mail_id = quarantine_mail(committed_db, delivery(report_mail()), "the import crashed", now=NOW).mail_id
    committed_db.commit()

    answers = all_at_once([lambda db: read_quarantined(db, [mail_id])] * 2)

    assert sorted(answers) == [0, 1]
    assert len(runs_of(committed_db, job_id)) == 1
    assert broken_promises(committed_db) == {}


@pytest.mark.parametrize("_", ROUNDS)
def test_a_quarantined_mail_that_is_read_while_somebody_deletes_it_is_one_or_the_other(
    committed_db: Session, people: tuple[Actor, Actor], _: int
) -> None:
    job_id = make_job(committed_db)
    mail_id = quarantine_mail(committed_db, delivery(report_mail()), "the import crashed", now=NOW).mail_id
    committed_db.commit()

    read, deleted = all_at_once(
        [
            lambda db: read_quarantined(db, [mail_id]),
            lambda db: dismiss_mails(db, [mail_id], actor=people[0], reason="", now=NOW),
        ]
    )

    assert read + deleted == 1
    assert len(runs_of(committed_db, job_id)) == read
    assert broken_promises(committed_db) == {}


@pytest.mark.parametrize("_", ROUNDS)
def test_a_report_that_is_read_again_while_its_copy_comes_in_makes_one_run(committed_db: Session, _: int) -> None:
    job_id = make_job(committed_db)
    mail_id = quarantine_mail(committed_db, delivery(report_mail()), "the import crashed", now=NOW).mail_id
    committed_db.commit()

    all_at_once(
        [lambda db: read_quarantined(db, [mail_id]), lambda db: import_mail(db, delivery(report_mail()), now=NOW)]
    )

    assert len(runs_of(committed_db, job_id)) == 1
    assert broken_promises(committed_db) == {}


@pytest.mark.parametrize("_", ROUNDS)
def test_mails_of_one_session_that_come_at_once_are_one_run(committed_db: Session, _: int) -> None:
    job_id = make_job(committed_db)
    committed_db.commit()

    all_at_once(
        [
            lambda db, at=at, how=how: make_run(db, job_id, status=how, run_at=at, objects=(str(at),), session_id="7")
            for at, how in zip(
                (NIGHT + timedelta(minutes=number) for number in range(4)),
                (Status.SUCCESS, Status.FAILED, Status.SUCCESS, Status.SUCCESS),
                strict=True,
            )
        ]
    )

    (head,) = [run for run in runs_of(committed_db, job_id) if run.attempt_of_id is None]
    assert (head.status, head.run_at, count_of(committed_db, JobRun)) == (Status.FAILED, NIGHT, 4)
    assert broken_promises(committed_db) == {}


@pytest.mark.parametrize("_", ROUNDS)
def test_a_night_that_gets_worse_while_somebody_reviews_it_waits_again(
    committed_db: Session, people: tuple[Actor, Actor], _: int
) -> None:
    run = make_run(committed_db, objects=("A",), session_id="7")
    seen, later = [(run.id, run.verdict_version)], NIGHT + timedelta(minutes=1)
    committed_db.commit()

    all_at_once(
        [
            lambda db: review_runs(db, seen, actor=people[0], now=NOW),
            lambda db: make_run(db, run.job_id, status=Status.FAILED, run_at=later, objects=("B",), session_id="7"),
        ]
    )

    head = runs_of(committed_db, run.job_id)[0]
    assert (head.status, head.reviewed_at) == (Status.FAILED, None)
