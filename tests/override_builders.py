"""Builders of overrides, and of runs whose objects say what is wrong with them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from shared.domain.override_words import OverrideLevel
from shared.domain.reading import ObjectResult
from shared.domain.run import MatchedBy
from shared.domain.run_facts import RunFacts, why
from shared.domain.status import Status, worst
from shared.domain.typed_override import TypedOverride, read_override, usual_last_day
from shared.models.jobs import JobRun
from shared.models.mail import MailObject
from shared.services.audit import Actor
from shared.services.overrides import Added, add_override
from shared.services.record_run import record_mail_run
from tests.builders import NIGHT, make_reading

ZONE = ZoneInfo("Europe/Amsterdam")
DISK = "Disk almost full (4 % left)"
_numbers = count(1)

Told = Mapping[str, tuple[Status, str]]


def make_override(
    db: Session,
    actor: Actor,
    *,
    now: datetime = NIGHT - timedelta(hours=1),
    may_edit_global: bool = True,
    **typed: object,
) -> Added:
    """Store an override as if it had been typed: of the text DISK, for 90 days, unless something else is said."""
    level = OverrideLevel.OBJECT if typed.get("job_id") else OverrideLevel.GLOBAL
    stated = {"text": DISK, "reason": "the disk is on order", "ends_on": usual_last_day(now, ZONE).isoformat()}
    fields = {"level": level, **stated, **typed}
    fields["job_id"] = str(fields.get("job_id", ""))
    draft = read_override(TypedOverride(**fields), now=now, zone=ZONE)
    return add_override(db, draft, actor=actor, may_edit_global=may_edit_global, now=now)


def make_told_run(
    db: Session,
    job_id: int,
    told: Told | None = None,
    *,
    says: str = "",
    status: Status | None = None,
    run_at: datetime = NIGHT,
    complete: bool = False,
    retry: int | None = None,
) -> JobRun:
    """Return the run of a mail whose objects have their own words; by default one warning that is DISK."""
    told = {"SQL01": (Status.WARNING, DISK)} if told is None else told
    things = tuple(ObjectResult(name=name, type="VM", status=how, message=words) for name, (how, words) in told.items())
    verdict = status or worst((each.status for each in things), default=Status.SUCCESS)
    reading = make_reading(db, job_id, status=verdict, run_at=run_at, complete=complete)
    reading.message, reading.retry = says, retry
    db.add_all(
        MailObject(
            reading_id=reading.id,
            number=number,
            name=each.name,
            type=each.type,
            status=each.status,
            message=each.message,
        )
        for number, each in enumerate(things)
    )
    db.flush()
    facts = RunFacts(status=verdict, message=says or why(things), objects=things, objects_complete=complete)
    run_id = record_mail_run(db, job_id, reading_id=reading.id, matched_by=MatchedBy.NAME, run_at=run_at, facts=facts)
    return db.get_one(JobRun, run_id, populate_existing=True)
