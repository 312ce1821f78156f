"""Workers that send errands are killed at random moments, also before they commit: no ticket is made twice."""

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from infra.local.postgres import Server
from shared.db import migrate, session
from shared.domain.errand_course import CLAIM
from shared.domain.status import Status
from shared.domain.ticket import ErrandState, MappingState, TicketSource
from shared.models.customers import Customer
from shared.models.jobs import JobRun
from shared.models.ticketing import Errand, TicketingSettings
from shared.models.tickets import Ticket
from shared.services.audit import SYSTEM
from shared.services.tickets import add_remote_ticket, resolve_ticket
from tests.builders import NOW, make_customer, make_job, make_run
from tests.fake_autotask import CODE, SECRET, USER, Effect, FakeAutotask, Fault

ROOT = Path(__file__).parents[2]
BETWEEN = CLAIM + timedelta(minutes=10)  # then a claim of a killed worker has run out


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps what it committed, whatever is killed."""
    running = Server(tmp_path / "data", durable=True, name="errands")
    running.start()
    running.create_database("errands")
    migrate.upgrade(running.url("errands"))
    session.configure(running.url("errands"))
    yield running
    session.dispose()
    running.stop()


@pytest.mark.slow
def test_killed_workers_make_each_ticket_once(server: Server) -> None:
    _prove(server, tickets=24, workers=1, seed=3)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_competing_workers_killed_again_and_again_make_each_ticket_once(server: Server, seed: int) -> None:
    _prove(server, tickets=400, workers=3, seed=seed)


def _prove(server: Server, *, tickets: int, workers: int, seed: int) -> None:
    with FakeAutotask(now=lambda: NOW) as fake:
        ids = _decide(fake, tickets)
        # Answers are slow, so that many kills fall between a call and what it was for; some are lost besides.
        fake.plan(
            *(Fault(effect=Effect.LOST, on="Tickets$", method="POST", skip=skip * 7 + 5) for skip in range(3)),
            Fault(effect=Effect.SLOW, seconds=0.05, on="Tickets", times=None),
        )

        kills = _send_until_done(_environment(server, fake), ids, workers, random.Random(seed))

        keys = Counter(row["externalID"] for row in fake.tickets)
        assert kills > 0
        assert set(keys.values()) == {1}
        assert len(keys) == tickets
        assert {str(row["id"]): row["status"] for row in fake.tickets} == _wanted(ids)
        assert [call for call in fake.calls if call.method == "PUT"] == []
        assert fake.world.rich_text_lost == 0


def _decide(fake: FakeAutotask, number: int) -> list[int]:
    """Decide on tickets, and to resolve every third; return their ids."""
    with session.transaction() as db:
        values = {"provider": TicketSource.AUTOTASK, "queue_id": "29682833", "priority_failed_id": "1"}
        db.execute(update(TicketingSettings).values(values))
        customer = db.get_one(Customer, make_customer(db, "Aspen Dental"))
        customer.autotask_company_id = fake.add_company("Aspen Dental")
        customer.autotask_company_name, customer.autotask_mapping = "Aspen Dental", MappingState.OK
        ids = []
        for each in range(number):
            run = make_run(db, make_job(db, f"Job {each}", customer_id=customer.id), status=Status.FAILED)
            ticket_id = add_remote_ticket(
                db, title=f"Ticket {each}", description="disk full", run_ids=[run.id], actor=SYSTEM, now=NOW
            )  # fmt: skip
            if each % 3 == 0:
                resolve_ticket(db, ticket_id, actor=SYSTEM, now=NOW)
            ids.append(ticket_id)
        return ids


def _environment(server: Server, fake: FakeAutotask) -> dict[str, str]:
    return {
        **os.environ,
        **server.environment("errands"),
        "AUTOTASK_BASE_URL": fake.url,
        "AUTOTASK_USERNAME": USER,
        "AUTOTASK_SECRET": SECRET,
        "AUTOTASK_INTEGRATION_CODE": CODE,
    }


def _send_until_done(environment: dict[str, str], ids: list[int], workers: int, chance: random.Random) -> int:
    """Start workers and kill them at random, half an hour later each time, until all is done; return the kills."""
    kills = 0
    for attempt in range(200):
        now = NOW + BETWEEN * attempt
        command = [sys.executable, "-m", "shared.cli", "tick", "autotask_sync", "--now", now.isoformat()]
        running = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) for _ in range(workers)
        ]
        patience = chance.uniform(2, 5 + attempt)
        for process in running:
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills += 1
        if _is_done(ids):
            return kills
    raise AssertionError("the errands were never all sent")


def _is_done(ids: list[int]) -> bool:
    with session.transaction() as db:
        states = set(db.scalars(select(Errand.state).where(Errand.ticket_id.in_(ids))))
    assert ErrandState.FAILED not in states
    return states == {ErrandState.DONE}


def _wanted(ids: list[int]) -> dict[str, int]:
    """Return how each ticket is to be over there, after a look at whether its run carries it."""
    wanted = {}
    with session.transaction() as db:
        for ticket in db.scalars(select(Ticket).where(Ticket.id.in_(ids)).order_by(Ticket.id)):
            carrying = select(JobRun.autotask_ticket_number).where(JobRun.autotask_ticket_id == ticket.remote_id)
            assert db.scalars(carrying).all() == [ticket.ticket_code]
            wanted[str(ticket.remote_id)] = 5 if ticket.resolved_at else 1
    return wanted
