"""The demo world: sample mails in other words, on other nights, through the doors of real use."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from infra.local.demo.dates import dates_in
from infra.local.demo.layouts import Night
from infra.local.demo.mails import Template, sample
from infra.local.demo.play import UNREVIEWED, play
from infra.local.demo.script import names_of, posts
from infra.local.demo.world import CUSTOMERS, WAITING, DemoCustomer, DemoJob
from shared.domain.mailflow import Ending, InboxReason
from shared.domain.permissions import Role
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow, JobRun
from shared.models.mail import MailMessage, MailReading
from shared.parsers.as_json import outcome_json
from shared.parsers.eml import mail_from_eml
from shared.parsers.registry import read
from shared.services.users import create_user

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
NEAR = date(2026, 4, 30)
MOVED = date(2026, 11, 3)


def moved(text: str) -> str:
    """The text with its one date on another day."""
    [found] = dates_in(text, NEAR)
    return text[: found.start] + found.write(MOVED) + text[found.end :]


@pytest.mark.parametrize(
    "written,expected",
    [
        ("at 2026-04-30 01:15", "at 2026-11-03 01:15"),
        ("Date/Time: 2026/04/30", "Date/Time: 2026/11/03"),
        ("vm/120/2026-04-30T20:04:11Z", "vm/120/2026-11-03T20:04:11Z"),
        ("30-04-2026 16:05", "03-11-2026 16:05"),
        ("30.4.2026 01:20", "3.11.2026 01:20"),
        ("4/30/2026 9:14 PM", "11/3/2026 9:14 PM"),
        ("Thursday, 30 April 2026 13:15:02", "Tuesday, 3 November 2026 13:15:02"),
        ("Donnerstag, 30. April 2026", "Dienstag, 3. November 2026"),
        ("do 30 apr 2026 23:30", "di 3 nov 2026 23:30"),
        ("jeudi 30 avril 2026", "mardi 3 novembre 2026"),
        ("giovedì 30 aprile 2026", "martedì 3 novembre 2026"),
        ("on 30 April 2026", "on 3 November 2026"),
        ("30-Apr-2026 22:00", "03-Nov-2026 22:00"),
        ("30-Apr 22:00 dir: Start", "03-Nov 22:00 dir: Start"),
        ("April 30, 2026", "November 3, 2026"),
        ("Thu Apr 30 03:30:00 2026", "Tue Nov  3 03:30:00 2026"),
    ],
)
def test_a_date_moves_and_keeps_its_form(written: str, expected: str) -> None:
    assert moved(written) == expected


@pytest.mark.parametrize(
    "text", ["build 2.0.5_stable_2024-05-07", "10.20.2026", "12.3.2.3617", "valid until 31-12-2027"]
)
def test_what_is_far_away_or_no_date_stays(text: str) -> None:
    assert dates_in(text, NEAR) == []


def nights() -> Iterator[object]:
    for customer in CUSTOMERS:
        for place, job in enumerate(customer.jobs):
            for night in Night:
                if job.layout.has(night):
                    yield pytest.param(customer, job, night, id=f"{customer.short}-{place}-{night.value}")


@pytest.mark.parametrize("customer,job,night", list(nights()))
def test_every_night_of_a_job_reads_like_its_sample_under_the_jobs_names(
    customer: DemoCustomer, job: DemoJob, night: Night
) -> None:
    names = names_of(customer, job)
    source = sample(job.layout.sample_for(night))
    good = outcome_json(read(mail_from_eml(Template(sample(job.layout.sample_for(Night.GOOD)), names).eml(NOW, "k"))))

    mail = mail_from_eml(Template(source, names).eml(NOW, "k"))

    found, before = outcome_json(read(mail)), outcome_json(read(source.mail))
    assert (found["outcome"], found["status"]) == (before["outcome"], before["status"])
    assert [found[fact] for fact in ("software", "backup_type", "job_name", "origin")] == [
        good[fact] for fact in ("software", "backup_type", "job_name", "origin")
    ]
    assert not job.name or found["job_name"] in (job.name, None)
    assert not job.host or found["origin"] == job.host
    assert mail.from_address == names.sender
    assert mail.sent_at == NOW


def test_the_same_start_makes_the_same_world() -> None:
    assert posts(NOW, 3) == posts(NOW, 3)


def test_the_world_ends_now_and_one_job_has_fallen_silent() -> None:
    script = posts(NOW, 28)

    assert script == sorted(script, key=lambda post: post.arrival)
    assert script[-1].arrival <= NOW
    assert script[0].arrival < NOW - timedelta(days=27)
    assert 1_000 < len(script) <= 1_500
    silent = [post for post in script if "-groe2" in post.name]
    assert silent[-1].arrival < NOW - timedelta(days=4)


@pytest.fixture
def played(committed_db: Session, tmp_path: Path) -> Session:
    for role in Role:
        create_user(committed_db, role.value, "three plain words", [role], now=NOW)
    committed_db.commit()
    play(tmp_path, NOW, days=4)
    return committed_db


@pytest.mark.slow
def test_a_morning_in_the_demo_world(played: Session, tmp_path: Path) -> None:
    """One test, because the play takes seconds."""
    mails = len(posts(NOW, 4))
    outcomes = Counter(played.scalars(select(MailReading.outcome)))
    reasons = played.scalars(select(MailReading.inbox_reason).where(MailReading.outcome == Ending.INBOX)).all()
    waiting = len(WAITING) + 1

    assert outcomes == {Ending.RUN: mails - waiting, Ending.INBOX: waiting}
    assert set(reasons) == set(InboxReason)
    assert played.scalar(select(func.count(Customer.id))) == len(CUSTOMERS)
    assert played.scalar(select(func.count(Job.id))) == sum(len(customer.jobs) for customer in CUSTOMERS)

    unreviewed = select(JobRun).where(JobRun.reviewed_at.is_(None))
    runs = played.scalars(unreviewed).all()
    assert {run.status for run in runs} >= {
        Status.FAILED, Status.WARNING, Status.UNREADABLE, Status.INFORMATIONAL, Status.SUCCESS
    }  # fmt: skip
    assert len({run.job_id for run in runs if run.status is not Status.SUCCESS}) >= 20
    assert min(run.run_at for run in runs) >= NOW - UNREVIEWED
    assert played.scalar(select(func.count(JobRun.id)).where(JobRun.reviewed_at.is_not(None)))

    shared = (
        select(func.count(JobKeyRow.job_id.distinct()))
        .group_by(JobKeyRow.from_address, JobKeyRow.backup_software, JobKeyRow.backup_type, JobKeyRow.job_name)
        .order_by(func.count(JobKeyRow.job_id.distinct()).desc())
    )
    assert played.scalars(shared).first() == 2

    play(tmp_path, NOW, days=4)  # as after an interruption

    assert played.scalar(select(func.count(MailMessage.id))) == mails
    assert played.scalar(select(func.count(JobRun.id))) == mails - waiting
