"""What an override begins with: the job that it is about, or the problems of a run."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.overrides import Problem, Rule, TroubledRun, covers, is_about, worst_first
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.mail import MailObject
from shared.models.troubled_runs import as_troubled, rules_about, select_troubled


@dataclass(frozen=True, kw_only=True, slots=True)
class AboutJob:
    """The job that an override is to be about, and the objects that its last mail with some has."""

    job_id: int
    customer_id: int
    customer: str
    job_name: str
    software: str
    backup_type: str
    objects: tuple[str, ...]


def about_job(db: Session, job_id: int) -> AboutJob | None:
    row = db.execute(
        select(
            Job.id.label("job_id"),
            Customer.id.label("customer_id"),
            Customer.name.label("customer"),
            Job.job_name,
            Job.backup_software.label("software"),
            Job.backup_type,
        )
        .join(Customer, Customer.id == Job.customer_id)
        .where(Job.id == job_id)
    ).one_or_none()
    return AboutJob(**row._asdict(), objects=_objects(db, job_id)) if row else None


def _objects(db: Session, job_id: int) -> tuple[str, ...]:
    has_some = select(MailObject.id).where(MailObject.reading_id == JobRun.reading_id).exists()
    last = select(JobRun.reading_id).where(JobRun.job_id == job_id, has_some).order_by(JobRun.run_at.desc()).limit(1)
    names = select(MailObject.name).where(MailObject.reading_id == last.scalar_subquery()).distinct()
    return tuple(db.scalars(names.order_by(MailObject.name).limit(200)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """The problems of a run that nothing covers yet, the worst first."""

    job_id: int
    problems: tuple[Problem, ...]


def suggestion(db: Session, run_id: int) -> Suggestion | None:
    """Return what an override could be made of; None when the run doesn't exist."""
    whole = select(func.coalesce(JobRun.attempt_of_id, JobRun.id)).where(JobRun.id == run_id).scalar_subquery()
    job_id = db.scalar(select(JobRun.job_id).where(JobRun.id == run_id))
    if job_id is None:
        return None
    runs = as_troubled(db, db.execute(select_troubled().where(JobRun.id == whole)).all())
    rules = rules_about(db, {(run.job_id, run.software, run.backup_type) for run in runs}) if runs else []
    return Suggestion(job_id=job_id, problems=tuple(_uncovered(runs[0], rules)) if runs else ())


def _uncovered(run: TroubledRun, rules: list[Rule]) -> list[Problem]:
    """Leave out what is covered; where all of it is, an override more may still be about any."""
    problems = worst_first(run.problems)
    about = [rule for rule in rules if is_about(rule, run)]
    return [each for each in problems if not any(covers(rule, each) for rule in about)] or problems
