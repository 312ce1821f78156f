"""What an override would change, before it is saved."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, SQLColumnExpression, exists, func, literal_column, or_, select, true
from sqlalchemy.orm import Session, aliased

from shared.domain.names import fold
from shared.domain.override_words import OverrideLevel
from shared.domain.overrides import Rule, TroubledRun, covering, covers, matches
from shared.domain.run_problems import ABSENT
from shared.domain.status import Status, badness
from shared.domain.typed_override import Draft
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.mail import MailObject, MailReading
from shared.models.overrides import Override
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

    `marked` ones a person marked as success before. `others` have a problem that is meant and one beside it that
    nothing covers: they stay as they are. Where `is_cut`, only the newest of a great many were looked at.
    """

    counts: Mapping[Status, int]
    jobs: int
    first: tuple[PreviewRun, ...]
    marked: int
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
    looked_at = marked = others = 0
    for run, is_marked, rules in _candidates(db, rule):
        looked_at += 1
        is_covered = covering(run, [*rules, rule]) is not None
        if is_marked:
            marked += is_covered
        elif is_covered:
            changed.append(run)
        elif any(covers(rule, problem) for problem in run.problems):
            others += 1
    counts = Counter(run.status for run in changed)
    return Preview(
        counts=dict(sorted(counts.items(), key=lambda each: -badness(each[0]))),
        jobs=len({run.job_id for run in changed}),
        first=_named(db, [run.run_id for run in changed[:FIRST]]),
        marked=marked,
        others=others,
        is_cut=looked_at == MOST_LOOKED_AT,
    )


def _candidates(db: Session, rule: Rule) -> Iterator[tuple[TroubledRun, bool, list[Rule]]]:
    """Yield the runs that no rule covers yet, newest first, whether each is marked, and what may be about it."""
    level = select(Override.level).where(Override.id == JobRun.override_id).scalar_subquery()
    not_covered = or_(JobRun.override_id.is_(None), level == OverrideLevel.RUN)
    query = select_troubled().where(in_reach(rule), not_covered, _may_say(rule)).limit(MOST_LOOKED_AT)
    query = query.add_columns(JobRun.override_id.is_not(None).label("is_marked"))
    found = db.execute(query.order_by(JobRun.run_at.desc(), JobRun.id.desc())).all()
    for start in range(0, len(found), _BATCH):
        batch = found[start : start + _BATCH]
        runs = as_troubled(db, batch)
        rules = rules_about(db, {(run.job_id, run.software, run.backup_type) for run in runs})
        by_job: dict[int | None, list[Rule]] = defaultdict(list)
        for each in rules:
            by_job[each.job_id].append(each)
        for run, row in zip(runs, batch, strict=True):
            yield run, row.is_marked, [*by_job[None], *by_job[run.job_id]]


def _may_say(rule: Rule) -> ColumnElement[bool]:
    """Leave out runs that surely don't have the rule's text, for the sake of speed: its longest plain word decides."""
    word = max(re.findall("[a-z0-9]+", fold(rule.text)), key=len, default="")
    if not word or matches(rule.mode, fold(rule.text), fold(ABSENT)):
        return true()
    of_object = exists().where(MailObject.reading_id == JobRun.reading_id, _says(MailObject.message, word))
    attempt = aliased(JobRun)
    has_attempts = exists().where(attempt.attempt_of_id == JobRun.id)
    said = func.coalesce(MailReading.message, JobRun.message)
    return or_(_says(said, word), _says(JobRun.message, word), of_object, has_attempts)


def _says(column: SQLColumnExpression[str], word: str) -> ColumnElement[bool]:
    """Compare nearly as `fold` does: what it finds, this finds."""
    plain = func.replace(func.lower(func.normalize(column, literal_column("NFKC"))), "ß", "ss")
    return func.strpos(plain, word) > 0


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
