"""A tenant of the fake Autotask, customers who are companies there, and the workers that keep both alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.clients.autotask import AutotaskTickets
from shared.clients.autotask_connection import Connection, Credentials
from shared.clients.autotask_line import AutotaskLine
from shared.db.session import transaction
from shared.domain.status import Status
from shared.domain.ticket import MappingState, TicketSource
from shared.domain.ticketing import Pace
from shared.models.audit import AuditEntry
from shared.models.customers import Customer
from shared.models.jobs import JobRun
from shared.models.ticketing import Errand, TicketingSettings, TicketingState
from shared.models.tickets import Ticket
from shared.services.audit import SYSTEM, Actor
from shared.services.incidents import keep_incidents
from shared.services.poll_tickets import poll_tickets
from shared.services.provider import conventions_of
from shared.services.record_call import record_call
from shared.services.refresh_ticket import Refreshed, refresh_ticket
from shared.services.send_errands import send_errands
from shared.services.ticketing_breaker import DatabaseBreaker
from shared.services.tickets import add_remote_ticket, resolve_ticket
from shared.settings import Settings
from tests.builders import NOW, make_customer, make_job, make_run
from tests.fake_autotask import CODE, SECRET, USER, FakeAutotask

QUEUE, HIGH, MEDIUM, LOW = "29682833", "1", "2", "3"
PUBLIC = "https://backups.example"
_numbers = count(1)


@dataclass
class TicketWorld:
    """`now` is what everybody's clock shows until a test says otherwise; nobody waits."""

    db: Session
    fake: FakeAutotask
    settings: Settings
    now: datetime = NOW
    naps: list[float] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def later(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now

    @contextmanager
    def provider(self) -> Iterator[AutotaskTickets]:
        """Open the real client with the breaker and the recorder of the database."""
        who = Credentials(
            username=self.settings.autotask_username,
            secret=self.settings.autotask_secret,
            integration_code=self.settings.autotask_integration_code,
        )
        connection = Connection(self.fake.url, who, sleep=self.naps.append, now=self.clock)
        breaker = DatabaseBreaker(self.settings, clock=self.clock)
        with transaction() as db:
            conventions = conventions_of(db.get_one(TicketingSettings, 1))
        try:
            yield AutotaskTickets(AutotaskLine(connection, breaker=breaker, record=record_call), conventions)
        finally:
            connection.close()

    def set(self, **values: object) -> None:
        self.db.execute(update(TicketingSettings).values(**values))
        self.db.commit()

    def customer(self, name: str = "Aspen Dental", state: MappingState | None = MappingState.OK) -> int:
        """Return a customer who is a company there; without a state nobody said which."""
        customer = self.db.get_one(Customer, make_customer(self.db, name))
        if state is not None:
            customer.autotask_company_id = self.fake.add_company(name)
            customer.autotask_company_name, customer.autotask_mapping = name, state
            customer.autotask_company_renamed_to = f"{name} (new)" if state is MappingState.RENAMED else None
        self.db.commit()
        return customer.id

    def job(self, name: str = "", customer_id: int | None = None) -> int:
        customer_id = customer_id or self.customer(f"Customer of job {next(_numbers)}")
        job_id = make_job(self.db, name or f"Job {next(_numbers)}", customer_id=customer_id)
        self.db.commit()
        return job_id

    def run(self, job_id: int, status: Status = Status.FAILED, **rest: Any) -> JobRun:
        """Let a mail of now make a run."""
        run = make_run(self.db, job_id, status=status, run_at=rest.pop("run_at", self.now), **rest)
        self.db.commit()
        return run

    def ticket(self, *run_ids: int, actor: Actor = SYSTEM, title: str = "", **rest: Any) -> int:
        with transaction() as db:
            return add_remote_ticket(
                db, title=title or "Backup failed", description=rest.pop("description", "disk full"),
                run_ids=run_ids, actor=actor, now=self.now, **rest,
            )  # fmt: skip

    def made(self, *run_ids: int, **rest: Any) -> int:
        """Return a ticket that Autotask has made."""
        ticket_id = self.ticket(*run_ids, **rest)
        self.send()
        assert self.stored(ticket_id).remote_id
        return ticket_id

    def tickets(self, number: int) -> list[int]:
        """Return many tickets that Autotask has, each of a job of its own."""
        customer_id = self.customer(f"Customer {next(_numbers)}")
        return [self.made(self.run(self.job(customer_id=customer_id)).id) for _ in range(number)]

    def resolve(self, ticket_id: int, *, note: str = "", actor: Actor = SYSTEM) -> None:
        with transaction() as db:
            resolve_ticket(db, ticket_id, actor=actor, now=self.now, note=note)

    def send(self, pace: Pace = Pace.NORMAL) -> dict[str, int]:
        with self.provider() as psa:
            return send_errands(psa, public_url=PUBLIC, pace=pace, clock=self.clock)

    def poll(self, *, anyway: bool = False) -> dict[str, int]:
        with self.provider() as psa:
            return poll_tickets(psa, clock=self.clock, anyway=anyway)

    def refresh(self, ticket_id: int) -> Refreshed:
        with self.provider() as psa:
            return refresh_ticket(psa, ticket_id, clock=self.clock)

    def look_after_incidents(self) -> dict[str, int]:
        return keep_incidents(clock=self.clock)

    def stored(self, ticket_id: int) -> Ticket:
        return self.db.get_one(Ticket, ticket_id, populate_existing=True)

    def remote(self, ticket_id: int) -> str:
        return str(self.stored(ticket_id).remote_id)

    def errands(self, ticket_id: int | None = None) -> list[Errand]:
        query = select(Errand).order_by(Errand.id)
        if ticket_id is not None:
            query = query.where(Errand.ticket_id == ticket_id)
        return list(self.db.scalars(query.execution_options(populate_existing=True)))

    def errand(self, ticket_id: int) -> Errand:
        [errand] = self.errands(ticket_id)
        return errand

    def acts(self, ticket_id: int) -> list[str]:
        """Return what the audit log says of a ticket."""
        about = (AuditEntry.subject_type == "ticket", AuditEntry.subject_id == ticket_id)
        return list(self.db.scalars(select(AuditEntry.action).where(*about).order_by(AuditEntry.id)))

    def state(self) -> TicketingState:
        return self.db.get_one(TicketingState, 1, populate_existing=True)

    def carried(self, run_id: int) -> tuple[str | None, str]:
        run = self.db.get_one(JobRun, run_id, populate_existing=True)
        return run.autotask_ticket_id, run.autotask_ticket_number


@contextmanager
def ticket_world(db: Session) -> Iterator[TicketWorld]:
    """Whatever happens in it: nothing was put, and no text lost its formatting."""
    db.execute(
        update(TicketingSettings).values(
            provider=TicketSource.AUTOTASK, queue_id=QUEUE, priority_failed_id=HIGH, priority_missed_id=MEDIUM,
            priority_warning_id=LOW,
        )
    )  # fmt: skip
    db.commit()
    settings = Settings(
        secret_key="tests", autotask_username=USER, autotask_secret=SECRET, autotask_integration_code=CODE
    )
    world: list[TicketWorld] = []
    with FakeAutotask(now=lambda: world[0].now) as fake:
        world.append(TicketWorld(db=db, fake=fake, settings=settings))
        yield world[0]
    assert [call for call in fake.calls if call.method == "PUT"] == []
    assert fake.world.rich_text_lost == 0
    assert fake.world.unknown_operators == []
