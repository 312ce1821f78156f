"""One code, two people: whoever is second hears of the first one's ticket, however close they come."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from shared.db.session import transaction
from shared.domain.ticket import MappingState
from shared.domain.ticketing import RemoteTicket, TicketState
from shared.models.customers import Customer
from shared.models.tickets import Ticket
from shared.services.adopt_ticket import adopt_ticket
from shared.services.audit import Actor
from shared.services.errors import Conflict, Refusal
from shared.services.tickets import edit_ticket
from tests.builders import make_customer, make_job, make_user
from tests.services.linked_world import NOON, failed, linked, ticket_on

FOUND = RemoteTicket(
    id="77", number="T20260601.0001", key="", company_id="12", title="Disk full", status_id="1",
    state=TicketState.OPEN, completed_at=None, last_activity_at=None,
)  # fmt: skip
Act = Callable[[Session], object]


@pytest.fixture
def actor(committed_db: Session) -> Actor:
    actor = make_user(committed_db)
    committed_db.commit()
    return actor


def company(db: Session) -> int:
    """Return the customer whose ticket it is over there."""
    customer = db.get_one(Customer, make_customer(db))
    customer.autotask_company_id, customer.autotask_company_name = FOUND.company_id, customer.name
    customer.autotask_mapping = MappingState.OK
    return customer.id


def just_before(first: Act, second: Act) -> object:
    """Do `second` while `first` is done and not committed yet; return its answer, or what it was refused with."""

    def do() -> object:
        try:
            with transaction() as db:
                return second(db)
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(1) as beside:
        with transaction() as db:
            first(db)
            doing = beside.submit(do)
            while not db.scalar(select(func.count()).select_from(text("pg_locks")).where(text("NOT granted"))):
                assert not doing.done()
        return doing.result()


def test_of_two_who_type_one_code_at_once_the_second_is_told(committed_db: Session, actor: Actor) -> None:
    runs = [failed(committed_db, make_job(committed_db, name)) for name in ("One", "Other")]
    committed_db.commit()

    answer = just_before(
        lambda db: ticket_on(db, runs[:1], actor, code="INC-1"),
        lambda db: ticket_on(db, runs[1:], actor, code="inc-1"),
    )

    assert isinstance(answer, Conflict)
    assert "There is a ticket inc-1 already" in str(answer)
    assert committed_db.scalars(select(Ticket.ticket_code)).all() == ["INC-1"]


def test_of_two_who_change_to_one_code_at_once_the_second_is_told(committed_db: Session, actor: Actor) -> None:
    ids = [
        ticket_on(committed_db, [failed(committed_db, make_job(committed_db, name))], actor, code=name)
        for name in ("One", "Other")
    ]
    committed_db.commit()

    def change(ticket_id: int) -> Act:
        return lambda db: edit_ticket(db, ticket_id, description="new", code="INC-1", actor=actor, now=NOON)

    def change_and_send(db: Session) -> None:
        change(ids[0])(db)
        db.flush()

    answer = just_before(change_and_send, change(ids[1]))

    assert isinstance(answer, Conflict)
    words = committed_db.execute(select(Ticket.ticket_code, Ticket.description).order_by(Ticket.id)).all()
    assert words == [("INC-1", "new"), ("Other", "disk full")]


def test_of_two_who_take_over_one_number_at_once_both_have_it_linked(committed_db: Session, actor: Actor) -> None:
    customer_id = company(committed_db)
    runs = [failed(committed_db, make_job(committed_db, name, customer_id=customer_id)).id for name in ("One", "Other")]
    committed_db.commit()

    answer = just_before(
        lambda db: adopt_ticket(db, FOUND, runs[:1], actor=actor, now=NOON),
        lambda db: adopt_ticket(db, FOUND, runs[1:], actor=actor, now=NOON),
    )

    [ticket_id] = committed_db.scalars(select(Ticket.id)).all()
    assert answer == ticket_id
    assert linked(committed_db, ticket_id) == set(runs)


def test_a_number_that_somebody_types_while_it_is_taken_over_stays_his(committed_db: Session, actor: Actor) -> None:
    customer_id = company(committed_db)
    runs = [failed(committed_db, make_job(committed_db, name, customer_id=customer_id)) for name in ("One", "Other")]
    committed_db.commit()

    answer = just_before(
        lambda db: ticket_on(db, runs[:1], actor, code="T20260601.0001"),
        lambda db: adopt_ticket(db, FOUND, [runs[1].id], actor=actor, now=NOON),
    )

    codes = select(Ticket.ticket_code).order_by(Ticket.id)
    assert isinstance(answer, int)
    assert committed_db.scalars(codes).all() == ["T20260601.0001", "T20260601.0001 (77)"]
