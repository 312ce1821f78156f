"""Decides where each reading of a mail goes, then writes it down: run, inbox, event or archived."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Boolean, Text, bindparam, delete, func, insert, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from shared.db.base import table_of
from shared.domain.job_key import CouldBe, JobKey, Match, job_key
from shared.domain.mail import Mail
from shared.domain.mailflow import Ending, InboxReason, Location
from shared.domain.names import fold
from shared.domain.reading import Ambiguous, Kind, ObjectResult, Parsed, Reading, Unreadable, Unrecognised
from shared.domain.run import MatchedBy
from shared.domain.run_facts import facts_of, unreadable_facts
from shared.models.mail import MailMessage, MailObject, MailReading
from shared.parsers.registry import read
from shared.services.find_job import find_job, only_job_of_sender, remember_origin
from shared.services.record_run import lock_jobs, record_mail_run


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One reading and its outcome. `reading` is None where nothing could be read."""

    reading: Reading | None
    ending: Ending
    parser: str | None = None
    unreadable: Unreadable | None = None
    inbox_reason: InboxReason | None = None
    reason: str = ""
    job_id: int | None = None
    could_be: tuple[int, ...] = ()
    matched_by: MatchedBy | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What importing a mail will do."""

    from_address: str
    routes: tuple[Route, ...]

    @property
    def location(self) -> Location:
        waits = any(route.ending is Ending.INBOX for route in self.routes)
        return Location.INBOX if waits else Location.PROCESSED

    @property
    def job_id(self) -> int | None:
        jobs = {route.job_id for route in self.routes}
        return next(iter(jobs)) if len(jobs) == 1 else None

    @property
    def endings(self) -> tuple[Ending, ...]:
        return tuple(route.ending for route in self.routes)


def plan_mail(db: Session, mail: Mail) -> Plan:
    """Read `mail` with today's parsers and decide the outcome of each reading; writes nothing."""
    outcome = read(mail)
    match outcome:
        case Parsed():
            routes = tuple(_route(db, mail, outcome.parser, reading) for reading in outcome.readings)
        case Unreadable():
            routes = (_route_unreadable(db, mail, outcome),)
        case Ambiguous():
            routes = (_waiting(InboxReason.AMBIGUOUS, outcome.reason),)
        case Unrecognised():
            routes = (_waiting(InboxReason.UNRECOGNISED, outcome.reason),)
    return Plan(mail.from_address, routes)


def carry_out(db: Session, mail_id: int, plan: Plan, *, received_at: datetime) -> None:
    """Store the readings of a stored mail with their outcomes, and make the runs."""
    jobs = {route.job_id for route in plan.routes if route.job_id is not None and route.ending is Ending.RUN}
    if len(jobs) > 1:
        lock_jobs(db, jobs)
    for number, route in enumerate(plan.routes):
        reading_id = _store_reading(db, mail_id, number, plan.from_address, route)
        if route.ending is Ending.RUN and route.job_id is not None and route.matched_by is not None:
            facts = facts_of(route.reading) if route.reading else unreadable_facts(route.reason)
            if route.reading and route.reading.origin and route.matched_by is MatchedBy.NAME:
                key = _key(plan.from_address, route.reading)
                remember_origin(db, route.job_id, key, shown=route.reading.origin)
            record_mail_run(
                db, route.job_id, reading_id=reading_id, matched_by=route.matched_by, run_at=received_at, facts=facts
            )


def read_again(db: Session, message: MailMessage, mail: Mail) -> tuple[Ending, ...]:
    """Read a waiting mail with today's parsers; a mail of which something is settled stays as it is."""
    outcomes = select(MailReading.outcome).where(MailReading.mail_id == message.id).order_by(MailReading.number)
    found = tuple(db.scalars(outcomes))
    if not set(found) <= {Ending.INBOX, Ending.EVENT, Ending.ARCHIVED}:
        return found
    plan = plan_mail(db, mail)
    db.execute(delete(MailReading).where(MailReading.mail_id == message.id))
    carry_out(db, message.id, plan, received_at=message.received_at)
    message.location, message.job_id = plan.location, plan.job_id
    return plan.endings


def _route(db: Session, mail: Mail, parser: str, reading: Reading) -> Route:
    if reading.kind is Kind.EVENT:
        return Route(reading=reading, parser=parser, ending=Ending.EVENT)
    found = find_job(db, _key(mail.from_address, reading))
    match found:
        case Match(job_id=job_id, archived=True):
            return Route(reading=reading, parser=parser, ending=Ending.ARCHIVED, job_id=job_id)
        case Match(job_id=job_id):
            return Route(
                reading=reading, parser=parser, ending=Ending.RUN, job_id=job_id, matched_by=_matched_by(found)
            )
        case CouldBe():
            return _waiting(InboxReason.AMBIGUOUS, found.why, reading=reading, parser=parser, could_be=found.job_ids)
        case _:
            return _waiting(InboxReason.NEW_JOB, "no job has this name yet", reading=reading, parser=parser)


def _key(from_address: str, reading: Reading) -> JobKey:
    return job_key(from_address, reading.software, reading.backup_type, reading.job_name, reading.origin)


def _route_unreadable(db: Session, mail: Mail, outcome: Unreadable) -> Route:
    """Give an unreadable report to its job, but only where it can be of no other."""
    key = job_key(mail.from_address, outcome.software, outcome.backup_type, outcome.job_name, outcome.origin)
    found = find_job(db, key, any_type=outcome.backup_type is None) if key.job_name else only_job_of_sender(db, key)
    if not isinstance(found, Match):
        return _waiting(InboxReason.UNREADABLE, outcome.reason, unreadable=outcome, parser=outcome.parser)
    return Route(
        reading=None,
        parser=outcome.parser,
        unreadable=outcome,
        ending=Ending.ARCHIVED if found.archived else Ending.RUN,
        reason=outcome.reason,
        job_id=found.job_id,
        matched_by=_matched_by(found),
    )


def _waiting(
    why: InboxReason,
    reason: str,
    *,
    reading: Reading | None = None,
    parser: str | None = None,
    unreadable: Unreadable | None = None,
    could_be: tuple[int, ...] = (),
) -> Route:
    return Route(
        reading=reading,
        parser=parser,
        unreadable=unreadable,
        ending=Ending.INBOX,
        inbox_reason=why,
        reason=reason,
        could_be=could_be,
    )


def _matched_by(found: Match) -> MatchedBy:
    return MatchedBy.ORIGIN if found.proven else MatchedBy.NAME


def _store_reading(db: Session, mail_id: int, number: int, from_address: str, route: Route) -> int:
    read_facts = _columns(route.reading) if route.reading else _partial_columns(route.unreadable)
    row = {
        "mail_id": mail_id,
        "number": number,
        "outcome": route.ending,
        "inbox_reason": route.inbox_reason,
        "reason": route.reason,
        "could_be": list(route.could_be),
        "from_address_key": fold(from_address),
        "parser": route.parser,
        "job_id": route.job_id,
        **read_facts,
    }
    objects = route.reading.objects if route.reading else ()
    added = db.execute(_ADD_WITH_OBJECTS, {**row, **_arrays(objects)}) if objects else db.execute(_ADD_READING, row)
    reading_id: int = added.scalar_one()
    return reading_id


def _columns(reading: Reading) -> dict[str, object]:
    return {
        "backup_software": reading.software,
        "backup_type": reading.backup_type,
        "job_name": reading.job_name,
        "origin": reading.origin,
        "kind": reading.kind,
        "status": reading.status,
        "message": reading.message,
        "evidence": list(reading.evidence),
        "objects_complete": reading.lists_everything,
        "started_at": reading.started_at.isoformat() if reading.started_at else None,
        "ended_at": reading.ended_at.isoformat() if reading.ended_at else None,
        "size_bytes": reading.size_bytes,
        "session_id": reading.session_id,
        "retry": reading.retry,
    }


def _partial_columns(unreadable: Unreadable | None) -> dict[str, object]:
    if unreadable is None:
        return {}
    return {
        "backup_software": unreadable.software,
        "backup_type": unreadable.backup_type,
        "job_name": unreadable.job_name,
        "origin": unreadable.origin,
    }


def _arrays(objects: Sequence[ObjectResult]) -> dict[str, list[object]]:
    """Return the objects column by column, in the mail's order."""
    return {
        "names": [thing.name for thing in objects],
        "types": [thing.type for thing in objects],
        "statuses": [thing.status.value for thing in objects],
        "messages": [thing.message for thing in objects],
        "recoveries": [thing.recovered for thing in objects],
    }


_readings = table_of(MailReading)
_READ_COLUMNS = (
    "backup_software backup_type job_name origin kind status message evidence objects_complete "
    "started_at ended_at size_bytes session_id retry"
).split()
_DECIDED_COLUMNS = "mail_id number outcome inbox_reason reason could_be from_address_key parser job_id".split()
_ADD_READING = insert(_readings).returning(_readings.c.id)
_added = (
    insert(_readings)
    .values({name: bindparam(name, type_=_readings.c[name].type) for name in _DECIDED_COLUMNS + _READ_COLUMNS})
    .returning(_readings.c.id)
    .cte("added")
)
_listed = (
    func.unnest(
        bindparam("names", type_=ARRAY(Text)),
        bindparam("types", type_=ARRAY(Text)),
        bindparam("statuses", type_=ARRAY(Text)),
        bindparam("messages", type_=ARRAY(Text)),
        bindparam("recoveries", type_=ARRAY(Boolean)),
    )
    .table_valued("name", "type", "status", "message", "recovered", with_ordinality="place")
    .render_derived()
)
_with_objects = (
    insert(table_of(MailObject))
    .from_select(
        ["reading_id", "number", "name", "type", "status", "message", "recovered"],
        select(
            _added.c.id,
            _listed.c.place - 1,
            _listed.c.name,
            _listed.c.type,
            _listed.c.status,
            _listed.c.message,
            _listed.c.recovered,
        ).select_from(_added.join(_listed, true())),
    )
    .cte("with_objects")
)
_ADD_WITH_OBJECTS = select(_added.c.id).add_cte(_with_objects)  # one round trip, however many objects
