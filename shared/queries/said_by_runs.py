"""Why runs are bad, in their own words, for many runs at once."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Row,
    Select,
    String,
    any_,
    cast,
    exists,
    func,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import NullType

from shared.domain.cause import LONGEST, telling
from shared.domain.overrides import Problem
from shared.domain.status import Status
from shared.models.jobs import JobKeyRow, JobRun
from shared.models.mail import MailObject
from shared.queries.objects import GOOD, WORST_FIRST

MOST_OBJECTS = 20  # of a run; the worst

_attempt = aliased(JobRun)
_AS_IT_COMES = NullType()  # lists of words need no conversion, and there are thousands of them


@dataclass(frozen=True, kw_only=True, slots=True)
class SaidByRun:
    """The texts that say why a run is as bad as it is, and names that may stand in them: of objects and hosts."""

    texts: tuple[str, ...]
    names: tuple[str, ...]


def said_by_runs(db: Session, run_ids: Collection[int]) -> dict[int, SaidByRun]:
    """Return what each of the runs says, in one statement."""
    return {row.id: _said(row) for row in db.execute(_asked(run_ids))} if run_ids else {}


def _asked(run_ids: Collection[int]) -> Select[*tuple[Any, ...]]:
    bad = (
        select(MailObject.name, cast(MailObject.status, String).label("status"), MailObject.message)
        .where(MailObject.reading_id == JobRun.reading_id, MailObject.status.not_in(GOOD), ~MailObject.recovered)
        .order_by(*WORST_FIRST)
        .limit(MOST_OBJECTS)
        .correlate(JobRun)
        .subquery()
    )
    objects = select(
        _list_of(bad.c.name).label("names"),
        _list_of(bad.c.status).label("statuses"),
        _list_of(func.left(bad.c.message, LONGEST)).label("texts"),
    ).lateral()
    hosts = select(JobKeyRow.origin_shown).where(JobKeyRow.job_id == JobRun.job_id, JobKeyRow.origin_shown != "")
    return (
        select(
            JobRun.id,
            JobRun.status,
            func.left(JobRun.message, LONGEST).label("message"),
            exists().where(_attempt.attempt_of_id == JobRun.id).label("has_attempts"),
            func.array(hosts.scalar_subquery(), type_=_AS_IT_COMES).label("hosts"),
            objects.c.names,
            objects.c.statuses,
            objects.c.texts,
        )
        .join(objects, true())
        .where(JobRun.id == any_(cast(list(run_ids), ARRAY(BigInteger))))
    )


def _list_of(values: ColumnElement[str]) -> ColumnElement[Any]:
    return type_coerce(func.array_agg(values), _AS_IT_COMES)


def _said(row: Row[Any]) -> SaidByRun:
    """Put together what a run says. Of one with attempts the words are its own: some of its objects went well later."""
    names = row.names or ()
    objects = [
        Problem(status=Status(status), text=text, object_name=name)
        for name, status, text in zip(names, row.statuses or (), row.texts or (), strict=True)
    ]
    return SaidByRun(
        texts=telling(row.status, row.message, () if row.has_attempts else objects),
        names=tuple(dict.fromkeys((*names, *row.hosts, *(host.partition(".")[0] for host in row.hosts)))),
    )
