"""Closes days for customers or some of their jobs: nothing is expected then, so nothing is missed.

What was judged already stays as it is; people review it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.domain.public_holidays import countries, public_holidays, subdivisions
from shared.domain.queue_message import MAX_JOBS
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.models.schedules import ClosedDay
from shared.models.system import SystemSettings
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput, NotFound
from shared.services.keep_slots import keep_slots

BACK = timedelta(days=31)
YEARS_AHEAD = 2
LONGEST_RANGE = 366  # days
LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Whose:
    """Whose days they are: all of a customer's jobs, or only some of them."""

    customer_id: int
    job_ids: tuple[int, ...] = ()


def close_range(db: Session, whose: Whose, *, first: str, last: str, name: str, actor: Actor, now: datetime) -> int:
    """Close the days that somebody typed; without `last` it is one. Return how many are new. Raise BadInput."""
    today = _today(db, whose.customer_id, now)
    begins = _day(first, today, field="first")
    ends = _day(last, today, field="last") if last.strip() else begins
    if ends < begins:
        raise BadInput("The last day lies before the first one.", field="last")
    if (ends - begins).days >= LONGEST_RANGE:
        raise BadInput("That is more than a year. To stop watching a job, archive it.", field="last")
    days = [begins + timedelta(days=number) for number in range((ends - begins).days + 1)]
    return _close(db, whose, dict.fromkeys(days, _name(name)), actor=actor, now=now)


def propose_holidays(country: str, subdivision: str, year: str, *, today: date) -> dict[date, str]:
    """Return the public holidays of a year with their names. Raise BadInput."""
    if country not in countries():
        raise BadInput("No holidays are known of this country.", field="country")
    if subdivision and subdivision not in dict(subdivisions(country)):
        raise BadInput("This is no part of that country.", field="subdivision")
    number = int(year) if year.isascii() and year.isdigit() and len(year) == 4 else 0
    if not today.year <= number <= today.year + YEARS_AHEAD:
        raise BadInput(f"A year from {today.year} to {today.year + YEARS_AHEAD}, please.", field="year")
    return public_holidays(country, subdivision, number)


def close_holidays(
    db: Session,
    whose: Whose,
    *,
    country: str,
    subdivision: str,
    year: str,
    ticked: Iterable[str],
    actor: Actor,
    now: datetime,
) -> int:
    """Close the public holidays that were ticked, and remember the country; return how many are new. Raise BadInput."""
    today = _today(db, whose.customer_id, now)
    proposed = propose_holidays(country, subdivision, year, today=today)
    wanted = set(ticked)
    days = {day: name for day, name in proposed.items() if day.isoformat() in wanted and day >= today - BACK}
    if not days:
        raise BadInput("Tick the days that are to be closed.", field="day")
    _remember_country(db, whose.customer_id, country, actor, now)
    return _close(db, whose, days, actor=actor, now=now)


def open_again(
    db: Session, customer_id: int, closed_ids: Sequence[int], *, actor: Actor, now: datetime, job_id: int | None = None
) -> int:
    """Take closed days of a customer and its jobs away, with `job_id` only those of that job.

    Return how many there were; gone ones do no harm.
    """
    gone = db.execute(
        delete(ClosedDay)
        .where(ClosedDay.id.in_(closed_ids), _is_mine(customer_id, job_id))
        .returning(ClosedDay.customer_id, ClosedDay.job_id, ClosedDay.day, ClosedDay.name)
    ).all()
    if not gone:
        return 0
    days = {day: name for _, _, day, name in gone}
    job_ids = () if any(row[0] for row in gone) else tuple(sorted({row[1] for row in gone if row[1]}))
    whose = Whose(customer_id=customer_id, job_ids=job_ids)
    _note(db, "closed_days.removed", whose, before=_facts(days, job_ids), actor=actor, now=now)
    _expect_anew(db, whose, now)
    return len(gone)


def _is_mine(customer_id: int, job_id: int | None) -> ColumnElement[bool]:
    if job_id is not None:
        return ClosedDay.job_id == job_id
    jobs = select(Job.id).where(Job.customer_id == customer_id)
    return or_(ClosedDay.customer_id == customer_id, ClosedDay.job_id.in_(jobs))


def _close(db: Session, whose: Whose, days: Mapping[date, str], *, actor: Actor, now: datetime) -> int:
    """Store days that aren't closed yet, with the slots that follow from them; return how many there are."""
    _check(db, whose)
    owners = [{"customer_id": None, "job_id": job_id} for job_id in whose.job_ids]
    rows = [
        {**owner, "day": day, "name": name, "created_by": actor.user_id}
        for owner in owners or [{"customer_id": whose.customer_id, "job_id": None}]
        for day, name in days.items()
    ]
    new = set(db.scalars(insert(ClosedDay).on_conflict_do_nothing().returning(ClosedDay.day), rows))
    if new:
        added = {day: name for day, name in days.items() if day in new}
        _note(db, "closed_days.added", whose, after=_facts(added, whose.job_ids), actor=actor, now=now)
        _expect_anew(db, whose, now)
    return len(new)


def _check(db: Session, whose: Whose) -> None:
    known = set(db.scalars(select(Job.id).where(Job.id.in_(whose.job_ids), Job.customer_id == whose.customer_id)))
    if set(whose.job_ids) - known:
        raise NotFound("One of these jobs isn't this customer's (any more).")


def _expect_anew(db: Session, whose: Whose, now: datetime) -> None:
    job_ids = sorted(whose.job_ids) or list(
        db.scalars(select(Job.id).where(Job.customer_id == whose.customer_id).order_by(Job.id))
    )
    for begin in range(0, len(job_ids), MAX_JOBS):
        keep_slots(db, job_ids[begin : begin + MAX_JOBS], now=now)


def _remember_country(db: Session, customer_id: int, country: str, actor: Actor, now: datetime) -> None:
    customer = db.get_one(Customer, customer_id, with_for_update=True)
    before, customer.country = customer.country, country
    if before != country:
        record_act(
            db,
            actor,
            "customer.changed",
            subject_type="customer",
            subject_id=customer_id,
            before={"country": before},
            after={"country": country},
            now=now,
        )


def _today(db: Session, customer_id: int, now: datetime) -> date:
    customer = db.get(Customer, customer_id)
    if customer is None:
        raise NotFound("This customer doesn't exist (any more).")
    zone = customer.time_zone or db.get_one(SystemSettings, 1).ui_time_zone
    return now.astimezone(ZoneInfo(zone)).date()


def _day(text: str, today: date, *, field: str) -> date:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput("Say which day as YYYY-MM-DD.", field=field) from None
    if day < today - BACK:
        raise BadInput("This day is more than a month ago: what was judged then stays judged.", field=field)
    if day.year > today.year + YEARS_AHEAD:
        raise BadInput(f"Days can be closed until the end of {today.year + YEARS_AHEAD}.", field=field)
    return day


def _name(text: str) -> str:
    tidy = " ".join(text.split())
    if not tidy:
        raise BadInput("Say why, in a word or two: “Company holiday”.", field="name")
    if len(tidy) > LONGEST_NAME or "\x00" in tidy:
        raise BadInput(f"At most {LONGEST_NAME} characters, please.", field="name")
    return tidy


def _facts(days: Mapping[date, str], job_ids: Sequence[int]) -> dict[str, object]:
    facts: dict[str, object] = {"days": {day.isoformat(): name for day, name in sorted(days.items())}}
    return {**facts, "jobs": list(job_ids)} if job_ids else facts


def _note(
    db: Session,
    action: str,
    whose: Whose,
    *,
    actor: Actor,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    record_act(
        db,
        actor,
        action,
        subject_type="customer",
        subject_id=whose.customer_id,
        before=before,
        after=after,
        now=now,
    )
