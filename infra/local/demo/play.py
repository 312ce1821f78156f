"""Plays the demo world through the doors of real use: import, approval, review."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from infra.local.demo.mails import ZONE
from infra.local.demo.script import Post, posts
from shared import clock
from shared.clients.mailbox import FolderMailbox
from shared.db.session import transaction
from shared.domain.mailflow import Ending
from shared.domain.permissions import Role
from shared.domain.status import NEEDS_REASON
from shared.models.jobs import JobRun, waits_for_review
from shared.models.mail import MailMessage, MailReading
from shared.services.approve_reading import NewJob, approve_reading
from shared.services.approve_readings import customer_called
from shared.services.audit import Actor
from shared.services.import_mailbox import Summary, import_mailbox
from shared.services.review_runs import review_runs
from shared.services.users import find_user

DAYS = 28
TRIGGER = "demo"
UNREVIEWED = timedelta(days=2)  # what a person finds who comes in after a day off
REVIEW_HOUR = time(7, 40)


def play(mail_folder: Path, started_at: datetime, *, days: int = DAYS) -> None:
    """Fill the database with the weeks before `started_at`. Safe to repeat after an interruption."""
    folder = mail_folder / "demo"
    all_posts = posts(started_at, days)
    firsts = [post for post in all_posts if post.customer]
    tell = _progress(len(all_posts))
    _deliver(folder, firsts)
    import_mailbox(FolderMailbox(folder), trigger=TRIGGER, clock=clock.now, progress=tell)
    with transaction() as db:
        _approve(db, firsts, _operator(db))
    _deliver(folder, all_posts)
    import_mailbox(FolderMailbox(folder), trigger=TRIGGER, clock=clock.now, progress=tell)
    with transaction() as db:
        _review(db, before=started_at - UNREVIEWED, actor=_operator(db))
    print(flush=True)


def _deliver(folder: Path, mails: Sequence[Post]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for mail in mails:
        (folder / mail.name).write_bytes(mail.raw)


def _progress(total: int) -> Callable[[Summary], None]:
    def tell(summary: Summary) -> None:
        if summary.fetched % 10 == 0 or summary.fetched == total:
            print(f"\rImporting sample mails {summary.fetched}/{total}", end="", flush=True)

    return tell


def _operator(db: Session) -> Actor:
    user = find_user(db, Role.OPERATOR.value)
    assert user is not None  # the demo world comes with one user a role
    return Actor(name=user.username, user_id=user.id)


def _approve(db: Session, firsts: Sequence[Post], operator: Actor) -> None:
    """Give the first mail of each job to its customer."""
    begun = {post.name: post for post in firsts}
    waiting = db.execute(
        select(MailReading.id, MailMessage.file_name)
        .join(MailMessage, MailMessage.id == MailReading.mail_id)
        .where(MailReading.outcome == Ending.INBOX, MailMessage.file_name.in_(begun))
        .order_by(MailMessage.received_at)
    ).all()
    for reading_id, file_name in waiting:
        post = begun[file_name]
        customer = customer_called(db, post.customer, create=True, actor=operator, now=clock.now())
        job = NewJob(customer_id=customer.id, job_name=post.job_name)
        approve_reading(db, reading_id, job, actor=operator, now=clock.now())


def _review(db: Session, *, before: datetime, actor: Actor) -> None:
    """Review the older runs as it was done then: every morning, what went wrong with a reason."""
    seen: dict[tuple[date, bool], list[tuple[int, int]]] = defaultdict(list)
    old_runs = select(JobRun.id, JobRun.verdict_version, JobRun.run_at, JobRun.status).where(
        JobRun.run_at < before, waits_for_review()
    )
    for run_id, version, run_at, status in db.execute(old_runs.order_by(JobRun.run_at)):
        seen[run_at.astimezone(ZONE).date(), status in NEEDS_REASON].append((run_id, version))
    for (day, went_wrong), runs in seen.items():
        morning = datetime.combine(day + timedelta(days=1), REVIEW_HOUR, ZONE)
        reason = "Talked to the customer; the next night was watched." if went_wrong else ""
        review_runs(db, runs, actor=actor, now=morning, reason=reason)
