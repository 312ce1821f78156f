"""What an override would change, before it is saved; and what a run suggests for one."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.overrides import Problem, Rule, TroubledRun, covering, covers, is_about, worst_first
from shared.domain.status import Status, badness
from shared.domain.typed_override import Draft
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.mail import MailObject
from shared.models.troubled_runs import as_troubled, in_reach, rules_about, select_troubled

MOST_LOOKED_AT = 20_000
FIRST = 20
_BATCH = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewRun:
    """A run that would count as success."""

    run_id: int
    run_at: datetime
    customer: str
    job_name: str
    status: Status
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """Which runs of the last 90 days would count as success, by their verdicts; `first` are the newest of them.

    `others` have a problem that is meant and one beside it that nothing covers: they stay as they are. Where
    `is_cut`, only the newest of a great many were looked at.
    """

    counts: Mapping[Status, int]
    jobs: int
    first: tuple[PreviewRun, ...]
    others: int
    is_cut: bool

    @property
    def runs(self) -> int:
        return sum(self.counts.values())

    @property
    def failed(self) -> int:
        return self.counts.get(Status.FAILED, 0)


def preview_override(db: Session, draft: Draft, *, now: datetime) -> Preview:
    """Look at the runs that are not good yet, as if the override had been in force all the time."""
    rule = draft.looking_back(now)
    changed: list[TroubledRun] = []
    looked_at = others = 0
    for run, rules in islice(_candidates(db, rule), MOST_LOOKED_AT):
        looked_at += 1
        cover = covering(run, [*rules, rule])
        if cover is not None:
            changed.append(run)
        elif any(covers(rule, problem) for problem in run.problems):
            others += 1
    counts = Counter(run.status for run in changed)
    return Preview(
        counts=dict(sorted(counts.items(), key=lambda each: -badness(each[0]))),
        jobs=len({run.job_id for run in changed}),
        first=_named(db, [run.run_id for run in changed[:FIRST]]),
        others=others,
        is_cut=looked_at == MOST_LOOKED_AT,
    )


def _candidates(db: Session, rule: Rule) -> Iterator[tuple[TroubledRun, list[Rule]]]:
    """Yield the runs that nothing covers yet, newest first, each with the overrides that may be about it."""
    query = select_troubled().where(in_reach(rule), JobRun.override_id.is_(None)).limit(MOST_LOOKED_AT)
    found = db.execute(query.order_by(JobRun.run_at.desc(), JobRun.id.desc())).all()
    for start in range(0, len(found), _BATCH):
        runs = as_troubled(db, found[start : start + _BATCH])
        rules = rules_about(db, {(run.job_id, run.software, run.backup_type) for run in runs})
        by_job: dict[int | None, list[Rule]] = defaultdict(list)
        for each in rules:
            by_job[each.job_id].append(each)
        for run in runs:
            yield run, [*by_job[None], *by_job[run.job_id]]


def _named(db: Session, run_ids: list[int]) -> tuple[PreviewRun, ...]:
    rows = db.execute(
        select(
            JobRun.id.label("run_id"),
            JobRun.run_at,
            Customer.name.label("customer"),
            Job.job_name,
            JobRun.status,
            func.left(JobRun.message, 300).label("message"),
        )
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(JobRun.id.in_(run_ids))
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
    )
    return tuple(PreviewRun(**row._asdict()) for row in rows)


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
