"""Closed days: nothing is expected then, in the same moment in which somebody closes them."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.slot_state import SlotState
from shared.models.audit import AuditEntry
from shared.models.customers import Customer
from shared.models.schedules import ClosedDay, JobSlot
from shared.services.audit import Actor
from shared.services.closed_days import Whose, close_holidays, close_range, open_again, propose_holidays
from shared.services.errors import BadInput, NotFound
from shared.services.keep_slots import keep_slots
from tests.builders import NOW, make_customer, make_job, make_user
from tests.slot_builders import make_schedule, make_slot

TODAY = NOW.date()  # a Tuesday, 08:00 in Amsterdam
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


@pytest.fixture
def customer_id(db: Session) -> int:
    return make_customer(db)


@pytest.fixture
def close(db: Session, customer_id: int, actor: Actor) -> Callable[..., int]:
    def close(first: date | str, last: date | str = "", *, jobs: tuple[int, ...] = (), name: str = "Outing") -> int:
        whose = Whose(customer_id=customer_id, job_ids=jobs)
        return close_range(db, whose, first=str(first), last=str(last), name=name, actor=actor, now=NOW)

    return close


def daily_job(db: Session, customer_id: int, name: str = "Nightly") -> int:
    job_id = make_job(db, name, customer_id=customer_id)
    make_schedule(db, job_id, 22)
    keep_slots(db, [job_id], now=NOW)
    return job_id


def states(db: Session, job_id: int) -> dict[date, tuple[SlotState, str]]:
    slots = db.execute(select(JobSlot.day, JobSlot.state, JobSlot.why).where(JobSlot.job_id == job_id))
    return {day: (state, why) for day, state, why in slots}


def test_a_closed_day_is_expected_no_longer_and_says_why(
    db: Session, customer_id: int, close: Callable[..., int]
) -> None:
    job_id = daily_job(db, customer_id)

    assert close(TOMORROW) == 1

    assert states(db, job_id)[TOMORROW] == (SlotState.SKIPPED, "closed: Outing")
    assert states(db, job_id)[TOMORROW + timedelta(days=1)] == (SlotState.EXPECTED, "")


def test_what_stays_of_today_is_skipped_too(db: Session, customer_id: int, close: Callable[..., int]) -> None:
    job_id = daily_job(db, customer_id)
    before = states(db, job_id)[TODAY]

    close(TODAY)

    assert before == (SlotState.EXPECTED, "")
    assert states(db, job_id)[TODAY] == (SlotState.SKIPPED, "closed: Outing")


def test_chosen_jobs_are_closed_and_the_others_are_not(
    db: Session, customer_id: int, close: Callable[..., int]
) -> None:
    chosen, other = daily_job(db, customer_id, "Chosen"), daily_job(db, customer_id, "Other")

    close(TOMORROW, jobs=(chosen,))

    assert states(db, chosen)[TOMORROW][0] is SlotState.SKIPPED
    assert states(db, other)[TOMORROW][0] is SlotState.EXPECTED


def test_an_opened_day_is_expected_again(
    db: Session, customer_id: int, actor: Actor, close: Callable[..., int]
) -> None:
    job_id = daily_job(db, customer_id)
    close(TOMORROW, TOMORROW + timedelta(days=1))
    ids = db.scalars(select(ClosedDay.id).where(ClosedDay.day == TOMORROW)).all()

    assert open_again(db, customer_id, ids, actor=actor, now=NOW) == 1

    assert states(db, job_id)[TOMORROW] == (SlotState.EXPECTED, "")
    assert states(db, job_id)[TOMORROW + timedelta(days=1)][0] is SlotState.SKIPPED


def test_what_was_judged_stays_as_it_was(db: Session, customer_id: int, close: Callable[..., int]) -> None:
    job_id = daily_job(db, customer_id)
    yesterday = TODAY - timedelta(days=1)
    make_slot(db, job_id, yesterday, state=SlotState.MISSED)

    assert close(yesterday) == 1

    assert states(db, job_id)[yesterday] == (SlotState.MISSED, "")


def test_days_that_are_closed_already_do_no_harm(db: Session, customer_id: int, close: Callable[..., int]) -> None:
    close(TOMORROW, name="Outing")

    assert close(TODAY, TOMORROW + timedelta(days=1), name="Move") == 2
    names = db.scalars(select(ClosedDay.name).order_by(ClosedDay.day)).all()
    assert names == ["Move", "Outing", "Move"]


def test_closing_and_opening_are_in_the_audit_log(
    db: Session, customer_id: int, actor: Actor, close: Callable[..., int]
) -> None:
    job_id = daily_job(db, customer_id)
    close(TOMORROW, jobs=(job_id,))
    open_again(db, customer_id, db.scalars(select(ClosedDay.id)).all(), actor=actor, now=NOW)

    added, removed = db.scalars(select(AuditEntry).order_by(AuditEntry.id))

    facts = {"days": {"2026-03-04": "Outing"}, "jobs": [job_id]}
    assert (added.action, added.subject_id, added.after) == ("closed_days.added", customer_id, facts)
    assert (removed.action, removed.user_name, removed.before) == ("closed_days.removed", actor.name, facts)


@pytest.mark.parametrize(
    "first, last, name, field",
    [
        ("", "", "Outing", "first"),
        ("2026-02-30", "", "Outing", "first"),
        ("2025-12-24", "", "Outing", "first"),
        ("2029-01-01", "", "Outing", "first"),
        ("2026-03-04", "2026-03-03", "Outing", "last"),
        ("2026-03-04", "2028-03-03", "Outing", "last"),
        ("2026-03-04", "", "  ", "name"),
        ("2026-03-04", "", "x" * 101, "name"),
    ],
)
def test_what_cannot_be_a_closed_day_is_refused_at_its_field(
    db: Session, close: Callable[..., int], first: str, last: str, name: str, field: str
) -> None:
    with pytest.raises(BadInput) as problem:
        close(first, last, name=name)

    assert problem.value.field == field
    assert db.scalars(select(ClosedDay)).all() == []


def test_jobs_of_another_customer_cannot_be_chosen(db: Session, close: Callable[..., int]) -> None:
    with pytest.raises(NotFound):
        close(TOMORROW, jobs=(make_job(db),))


def test_days_of_another_customer_cannot_be_opened(
    db: Session, customer_id: int, actor: Actor, close: Callable[..., int]
) -> None:
    close(TOMORROW)
    ids = db.scalars(select(ClosedDay.id)).all()

    assert open_again(db, make_customer(db), ids, actor=actor, now=NOW) == 0
    assert db.scalars(select(ClosedDay.id)).all() == ids


def test_ticked_holidays_are_closed_under_their_names_and_the_country_is_remembered(
    db: Session, customer_id: int, actor: Actor
) -> None:
    job_id = daily_job(db, customer_id)
    asked = {"country": "NL", "subdivision": "", "year": "2026"}
    ticked = ["2026-04-27", "2026-12-25", "2026-03-05"]  # the last one is no holiday

    closed = close_holidays(db, Whose(customer_id=customer_id), **asked, ticked=ticked, actor=actor, now=NOW)

    assert closed == 2
    days = db.execute(select(ClosedDay.day, ClosedDay.name).order_by(ClosedDay.day)).all()
    assert [tuple(day) for day in days] == [(date(2026, 4, 27), "King's Day"), (date(2026, 12, 25), "Christmas Day")]
    assert db.get_one(Customer, customer_id).country == "NL"
    assert {state for state, _ in states(db, job_id).values()} == {SlotState.EXPECTED}


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    of_all = propose_holidays("DE", "", "2026", today=TODAY)
    of_bavaria = propose_holidays("DE", "BY", "2026", today=TODAY)

    assert of_bavaria[date(2026, 1, 6)] == "Epiphany"
    assert date(2026, 1, 6) not in of_all


@pytest.mark.parametrize(
    "country, subdivision, year, field",
    [
        ("XX", "", "2026", "country"),
        ("DE", "Noord", "2026", "subdivision"),
        ("NL", "", "2025", "year"),
        ("NL", "", "2029", "year"),
        ("NL", "", "soon", "year"),
    ],
)
def test_holidays_of_nowhere_and_of_past_years_are_refused(
    country: str, subdivision: str, year: str, field: str
) -> None:
    with pytest.raises(BadInput) as problem:
        propose_holidays(country, subdivision, year, today=TODAY)

    assert problem.value.field == field


def test_without_a_tick_nothing_is_closed_nor_remembered(db: Session, customer_id: int, actor: Actor) -> None:
    asked = {"country": "NL", "subdivision": "", "year": "2026"}

    with pytest.raises(BadInput, match="Tick"):
        close_holidays(db, Whose(customer_id=customer_id), **asked, ticked=[], actor=actor, now=NOW)

    assert db.get_one(Customer, customer_id).country is None
