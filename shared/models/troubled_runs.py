"""Stored runs that are not good and the overrides they may come under: the values of `domain/overrides.py`."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, SQLColumnExpression, and_, exists, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from shared.domain.attempts import Attempt
from shared.domain.override_words import OverrideLevel
from shared.domain.overrides import GOOD, NEVER_CAME, Problem, Rule, TroubledRun
from shared.domain.run_problems import absence_of, problems_of_attempts, problems_of_run, with_the_rest
from shared.domain.status import Status
from shared.models.attempts import as_attempts, runs_with_readings
from shared.models.jobs import Job, JobRun, VanishedObject
from shared.models.mail import MailObject, MailReading
from shared.models.overrides import Override

_attempt, _override, _job = aliased(JobRun), aliased(Override), aliased(Job)  # beside those of a statement around


def is_troubled() -> ColumnElement[bool]:
    """Whether an override may make a run count as success."""
    return and_(JobRun.status.not_in(GOOD), JobRun.attempt_of_id.is_(None))


def select_troubled() -> Select[*tuple[Any, ...]]:
    """Return the query of what `as_troubled` needs; jobs are joined."""
    return (
        select(
            JobRun.id,
            JobRun.job_id,
            JobRun.run_at,
            JobRun.status,
            JobRun.raw_status,
            JobRun.reading_id,
            Job.backup_software,
            Job.backup_type,
            Job.job_name.label("of_job"),
            func.coalesce(MailReading.message, JobRun.message).label("said"),
            exists().where(_attempt.attempt_of_id == JobRun.id).label("has_attempts"),
        )
        .join(Job, Job.id == JobRun.job_id)
        .outerjoin(MailReading, and_(MailReading.id == JobRun.reading_id, MailReading.status.is_not(None)))
        .where(is_troubled())
    )


def as_troubled(db: Session, rows: Sequence[Row[Any]]) -> list[TroubledRun]:
    """Return the runs that `select_troubled` found, each with all that is wrong with it."""
    of_readings = _bad_objects(db, [row.reading_id for row in rows if row.reading_id and not row.has_attempts])
    of_attempts = _told_by_attempts(db, [row.id for row in rows if row.has_attempts])
    findings = _findings(db, [row.id for row in rows])
    return [
        _troubled(row, of_attempts.get(row.id, ()) or of_readings.get(row.reading_id, ()), findings.get(row.id, ()))
        for row in rows
    ]


def rules_about(db: Session, jobs: Collection[tuple[int, str, str]]) -> list[Rule]:
    """Return the overrides of many runs that may be about these jobs, each given by id, software and type.

    Those that ended are among them: they are about the runs of their time.
    """
    products = {(software, backup_type) for _, software, backup_type in jobs}
    of_product = [
        and_(
            or_(Override.backup_software.is_(None), Override.backup_software == software),
            or_(Override.backup_type.is_(None), Override.backup_type == backup_type),
        )
        for software, backup_type in products
    ]
    is_global = and_(Override.level == OverrideLevel.GLOBAL, or_(*of_product))
    of_jobs = and_(Override.level == OverrideLevel.OBJECT, Override.job_id.in_({job_id for job_id, _, _ in jobs}))
    return [as_rule(row) for row in db.scalars(select(Override).where(or_(is_global, of_jobs)))]


def as_rule(row: Override) -> Rule:
    """Return a stored override as a rule; one of a single run never comes into force by itself."""
    ends = [moment for moment in (row.ends_at, row.ended_at) if moment is not None]
    return Rule(
        override_id=row.id,
        level=row.level,
        job_id=row.job_id,
        object_name=row.object_name,
        software=row.backup_software,
        backup_type=row.backup_type,
        status=row.status,
        mode=row.match_mode,
        text=row.match_text,
        covers=chosen(failed=row.covers_failed, missed=row.covers_missed, unreadable=row.covers_unreadable),
        starts_at=row.starts_at,
        ends_at=min(ends, default=row.starts_at),
        created_at=row.created_at,
    )


def chosen(*, failed: bool, missed: bool, unreadable: bool) -> frozenset[Status]:
    """Return what is covered beside warnings; what never came is missed or overdue."""
    found: set[Status] = set(NEVER_CAME) if missed else set()
    found |= {Status.FAILED} if failed else set()
    return frozenset(found | ({Status.UNREADABLE} if unreadable else set()))


def in_reach(rule: Rule) -> ColumnElement[bool]:
    """Whether a run, joined with its job, is of the rule's job or product, and of its time."""
    return and_(JobRun.run_at >= rule.starts_at, JobRun.run_at < rule.ends_at, of_reach(rule))


def of_reach(rule: Rule) -> ColumnElement[bool]:
    """Whether a job is one that the rule is about."""
    if rule.job_id is not None:
        return Job.id == rule.job_id
    of_product = ((Job.backup_software, rule.software), (Job.backup_type, rule.backup_type))
    return and_(true(), *(column == word for column, word in of_product if word is not None))


def may_be_overridden(
    job_id: SQLColumnExpression[int], status: SQLColumnExpression[Status], run_at: SQLColumnExpression[datetime]
) -> ColumnElement[bool]:
    """Whether an override of many runs is in force for a run that isn't good."""
    in_force = and_(
        _override.starts_at <= run_at,
        _override.ends_at > run_at,
        or_(_override.ended_at.is_(None), _override.ended_at > run_at),
    )
    of_product = and_(
        _override.level == OverrideLevel.GLOBAL,
        _job.id == job_id,
        or_(_override.backup_software.is_(None), _override.backup_software == _job.backup_software),
        or_(_override.backup_type.is_(None), _override.backup_type == _job.backup_type),
    )
    return and_(
        status.not_in(GOOD),
        or_(
            exists().where(_override.job_id == job_id, _override.level == OverrideLevel.OBJECT, in_force),
            exists().where(of_product, in_force),
        ),
    )


def _troubled(row: Row[Any], told: Sequence[Problem], findings: Sequence[Problem]) -> TroubledRun:
    """Put together what is wrong. What the mail says is its own words: those of its objects stand at the objects."""
    if row.has_attempts:  # each mail has said its own
        of_mail = with_the_rest(row.raw_status, row.said, told)
    else:
        of_mail = problems_of_run(row.raw_status, row.said, told, names=(row.of_job,))
    return TroubledRun(
        run_id=row.id,
        job_id=row.job_id,
        software=row.backup_software,
        backup_type=row.backup_type,
        at=row.run_at,
        status=row.status,
        problems=with_the_rest(row.status, row.said, (*of_mail, *findings)),
    )


def _told_by_attempts(db: Session, run_ids: Sequence[int]) -> dict[int, list[Problem]]:
    if not run_ids:
        return {}
    mails = runs_with_readings().where(or_(JobRun.id.in_(run_ids), JobRun.attempt_of_id.in_(run_ids)))
    rows = db.execute(mails).all()
    attempts = as_attempts(db, rows)
    by_run: dict[int, list[Attempt]] = defaultdict(list)
    for run, _ in rows:
        by_run[run.attempt_of_id or run.id].append(attempts[run.id])
    return {run_id: problems_of_attempts(each) for run_id, each in by_run.items()}


def _bad_objects(db: Session, reading_ids: Sequence[int]) -> dict[int, list[Problem]]:
    found: dict[int, list[Problem]] = defaultdict(list)
    query = select(MailObject.reading_id, MailObject.status, MailObject.message, MailObject.name).where(
        MailObject.reading_id.in_(reading_ids), MailObject.status.not_in(GOOD), ~MailObject.recovered
    )
    for reading_id, status, message, name in db.execute(query.order_by(MailObject.number)):
        found[reading_id].append(Problem(status=status, text=message, object_name=name))
    return found


def _findings(db: Session, run_ids: Sequence[int]) -> dict[int, list[Problem]]:
    found: dict[int, list[Problem]] = defaultdict(list)
    query = select(VanishedObject.run_id, VanishedObject.name).where(
        VanishedObject.run_id.in_(run_ids), VanishedObject.confirmed_at.is_(None)
    )
    for run_id, name in db.execute(query.order_by(VanishedObject.name)):
        found[run_id].append(absence_of(name))
    return found
