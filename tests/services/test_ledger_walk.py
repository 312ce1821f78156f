"""After any sequence of operations the ledger is whole: each mail, each reading, each run where it belongs."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, Location
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, Review, VanishedObject
from shared.models.mail import MailMessage, MailReading
from shared.services.approve_reading import ExistingJob, NewJob, approve_reading
from shared.services.confirm_removed import confirm_removed
from shared.services.dismiss_mail import dismiss_mails, reparse_mails, restore_mail, undo_duplicate
from shared.services.edit_job import archive_job, delete_job, move_job, unarchive_job
from shared.services.errors import Refusal
from shared.services.import_mail import quarantine_mail
from shared.services.read_quarantined import read_quarantined
from shared.services.review_runs import review_runs, undo_review
from tests.builders import NOW, arrive, count_of, delivery, make_customer, make_user, nights
from tests.ledger import broken_promises
from tests.mails import alert_mail, digest_mail, report_mail, rubbish_mail, trial_mail, update_mail

STEPS = 120


class Walk:
    """One random walk over everything that people and importers do."""

    def __init__(self, db: Session, seed: int) -> None:
        self.db, self.chance = db, random.Random(seed)
        self.actor = make_user(db)
        for _ in range(2):
            make_customer(db)
        self.came_in = 0
        self.acts: list[Callable[[], object]] = [self.mail_arrives] * 6 + [
            self.approves,
            self.approves,
            self.attaches,
            self.dismisses,
            self.restores,
            self.undoes_duplicate,
            self.reads_again,
            self.is_quarantined,
            self.reads_quarantined,
            self.dismisses_quarantined,
            self.archives,
            self.unarchives,
            self.deletes,
            self.moves,
            self.reviews,
            self.undoes_review,
            self.confirms,
        ]

    def step(self) -> str:
        act = self.chance.choice(self.acts)
        try:
            with self.db.begin_nested():
                act()
        except Refusal as refusal:
            return f"{act.__name__}: {refusal}"
        return act.__name__

    def any_id(self, model: type, *conditions: object) -> int:
        found = self.db.scalars(select(model.id).where(*conditions).order_by(model.id)).all()
        return self.chance.choice(found) if found else 0

    def mail_arrives(self) -> None:
        self.came_in += arrive(self.db, self.any_mail(), f"{self.chance.randrange(300)}.eml").is_new

    def is_quarantined(self) -> None:
        """An import crashes by a bug that is mended since."""
        broken = delivery(self.any_mail(), f"{self.chance.randrange(300)}.eml")
        self.came_in += quarantine_mail(self.db, broken, "the import crashed", now=NOW).is_new

    def any_mail(self) -> bytes:
        at: datetime = self.chance.choice(nights(8)) + timedelta(seconds=self.chance.randrange(2))
        sender = self.chance.choice(("backup@oak.example", "noreply@relay.example"))
        origin, name = self.chance.choice(("", "OAK", "ELM")), self.chance.choice(("Nightly", "Databases"))
        status = self.chance.choice(("Success", "Success", "Warning", "Failed"))
        objects = self.chance.choice((("A", "B"), ("A", "B"), ("A",)))
        facts = {"sender": sender, "origin": origin, "objects": objects}
        return self.chance.choice(
            (
                report_mail(name, status=status, sent_at=at, **facts),
                report_mail(name, status=status, sent_at=at, **facts),
                report_mail(name, sent_at=None, **facts),
                report_mail(name, cut=True, sent_at=at, **facts),
                digest_mail((name, status), ("Else", "Failed"), sender=sender, sent_at=at),
                trial_mail(sender=sender, sent_at=at),
                alert_mail(sender=sender, sent_at=at),
                update_mail(sender=sender, sent_at=None),
                rubbish_mail(sender=sender, sent_at=at),
                b"no mail",
            )
        )

    def approves(self) -> None:
        reading = self.any_id(MailReading, MailReading.outcome == Ending.INBOX)
        to = NewJob(customer_id=self.any_id(Customer), job_name="Named", vouched=self.chance.random() < 0.3)
        everything = self.chance.random() < 0.5
        approve_reading(self.db, reading, to, actor=self.actor, now=NOW, and_all_waiting=everything)

    def attaches(self) -> None:
        reading = self.any_id(MailReading, MailReading.outcome == Ending.INBOX)
        approve_reading(self.db, reading, ExistingJob(job_id=self.any_id(Job)), actor=self.actor, now=NOW)

    def dismisses(self) -> None:
        dismiss_mails(self.db, [self.any_id(MailMessage)], actor=self.actor, reason="", now=NOW)

    def restores(self) -> None:
        restore_mail(
            self.db,
            self.any_id(MailMessage, MailMessage.location == Location.DELETED),
            actor=self.actor,
            now=NOW,
        )

    def undoes_duplicate(self) -> None:
        duplicate = self.any_id(MailMessage, MailMessage.duplicate_of_id.is_not(None))
        undo_duplicate(self.db, duplicate, actor=self.actor, now=NOW)

    def reads_again(self) -> None:
        reparse_mails(self.db, self.db.scalars(select(MailMessage.id)).all())

    def reads_quarantined(self) -> None:
        read_quarantined(self.db, self.quarantined())

    def dismisses_quarantined(self) -> None:
        dismiss_mails(self.db, self.quarantined()[:1], actor=self.actor, reason="", now=NOW)

    def quarantined(self) -> list[int]:
        found = select(MailReading.mail_id).where(MailReading.outcome == Ending.QUARANTINED)
        return list(self.db.scalars(found.order_by(MailReading.mail_id)))

    def archives(self) -> None:
        archive_job(self.db, self.any_id(Job), actor=self.actor, now=NOW)

    def unarchives(self) -> None:
        unarchive_job(self.db, self.any_id(Job, Job.archived_at.is_not(None)), actor=self.actor, now=NOW)

    def deletes(self) -> None:
        delete_job(self.db, self.any_id(Job, Job.archived_at.is_not(None)), actor=self.actor, now=NOW)

    def moves(self) -> None:
        move_job(self.db, self.any_id(Job), self.any_id(Customer), actor=self.actor, now=NOW)

    def reviews(self) -> None:
        seen = [tuple(row) for row in self.db.execute(select(JobRun.id, JobRun.verdict_version).limit(20))]
        review_runs(self.db, seen, actor=self.actor, now=NOW, reason=self.chance.choice(("", "known")))

    def undoes_review(self) -> None:
        undo_review(self.db, self.any_id(Review), actor=self.actor, may_undo_any=True, now=NOW)

    def confirms(self) -> None:
        run_id = self.any_id(JobRun, JobRun.id.in_(select(VanishedObject.run_id)))
        confirm_removed(self.db, run_id, "B", actor=self.actor, reason="retired", now=NOW)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_the_ledger_is_whole_after_whatever_people_and_importers_do(db: Session, seed: int) -> None:
    walk = Walk(db, seed)
    done: list[str] = []

    for _ in range(STEPS):
        done.append(walk.step())
        db.expire_all()
        assert broken_promises(db) == {}, done

    assert count_of(db, MailMessage) == walk.came_in
    assert count_of(db, JobRun) > 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 130))
def test_the_ledger_is_whole_after_a_long_walk(db: Session, seed: int) -> None:
    walk = Walk(db, seed)

    for _ in range(600):
        what = walk.step()
        db.expire_all()
        assert broken_promises(db) == {}, what

    assert count_of(db, MailMessage) == walk.came_in
