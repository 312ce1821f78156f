"""Two workers read one mailbox, Graph is faulty, and both are killed again and again: the mailbox is the ledger."""

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from infra.local.postgres import Server
from shared.db import migrate, session
from shared.services.approve_reading import NewJob, approve_reading
from tests.builders import NOW, arrive, make_customer, make_user, nights, readings_of
from tests.fake_graph import FakeGraph, Faults
from tests.fake_graph.eml import make_eml
from tests.ledger import broken_promises
from tests.mails import digest_mail, report_mail, rubbish_mail, trial_mail, update_mail
from tests.services.mailbox_world import World

ROOT = Path(__file__).parents[2]
KNOWN = ("Nightly", "Databases", "File server")
BETWEEN = timedelta(minutes=20)  # later than leases, throttling, sweeps and the interval
AHEAD = timedelta(minutes=3)  # the second worker finds the lease of the first run out


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps what it committed, whatever is killed."""
    running = Server(tmp_path / "data", durable=True, name="graph")
    running.start()
    yield running
    running.stop()


@pytest.mark.slow
def test_killed_workers_and_a_faulty_graph_lose_and_double_nothing(server: Server) -> None:
    _prove(server, mails=100, kills=3, seed=3)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2])
def test_five_thousand_mails_through_faults_and_kills(server: Server, seed: int) -> None:
    _prove(server, mails=5_000, kills=40, seed=seed)


@pytest.mark.soak
def test_ten_thousand_mails_cost_at_most_250_requests(world: World) -> None:
    for number in range(10_000):
        world.graph.deliver(report_mail(KNOWN[number % 3], sent_at=NOW - timedelta(minutes=number)))

    requests = 0
    while not (world.cycles() and world.cycle.complete):
        requests += world.wake()["requests"]
        world.later(seconds=1)

    assert len(world.arrivals()) == 10_000
    assert requests == len(world.graph.calls) <= 250


def _prove(server: Server, *, mails: int, kills: int, seed: int) -> None:
    with FakeGraph(now=lambda: NOW) as graph:
        _fill(graph, mails)
        ids = sorted(message.immutable_id for message in graph.messages())
        _prepare(server, "calm", moves=False)
        _run_to_the_end(_workers(server, "calm", graph), NOW)
        _prepare(server, "disturbed", moves=True)
        graph.faults = Faults.random(seed, 0.04)
        now = _run_and_kill(_workers(server, "disturbed", graph), kills, random.Random(seed))
        graph.faults.clear()
        _run_to_the_end(_workers(server, "disturbed", graph), now)

        calm, disturbed = _ledger(server, "calm"), _ledger(server, "disturbed")
        assert disturbed == calm
        assert _ids(server, "disturbed") == ids
        assert graph.messages("Inbox") == []  # all of them are moved


def _fill(graph: FakeGraph, mails: int) -> None:
    """Deliver mails of known jobs, new jobs, digests, events, undated notices, doubles, forwarded ones and rubbish."""
    for number, night in enumerate(nights(mails, first=NOW - timedelta(days=mails))):
        kinds: tuple[Callable[[], bytes], ...] = (
            lambda n=number, at=night: report_mail(KNOWN[n % 3], sent_at=at),
            lambda n=number, at=night: report_mail(KNOWN[n % 3], status="Failed", sent_at=at),
            lambda n=number, at=night: report_mail(f"New {n % 7}", sent_at=at),
            lambda at=night: digest_mail(
                ("Nightly", "Success"), ("Elsewhere", "Failed"), sent_at=at + timedelta(hours=1)
            ),
            lambda at=night: trial_mail(sent_at=at),
            lambda: update_mail(sent_at=None),
            lambda at=night: rubbish_mail(sent_at=at),
            lambda at=night: _forwarded(report_mail("Databases", sent_at=at + timedelta(hours=2)), at),
            lambda: report_mail("Nightly", sent_at=NOW - timedelta(days=9_000)),  # a double, but for the first
            lambda n=number, at=night: report_mail(KNOWN[n % 3], sent_at=at, cut=True),
        )
        graph.deliver(kinds[number % len(kinds)](), received_at=NOW - timedelta(minutes=mails - number))


def _forwarded(report: bytes, at: datetime) -> bytes:
    return make_eml(
        subject="Fwd: report", body="See below.", sender="bo@oak.example", html=False, sent_at=at, attachment=report
    )


def _prepare(server: Server, name: str, *, moves: bool) -> None:
    server.create_database(name)
    migrate.upgrade(server.url(name))
    session.configure(server.url(name))
    with session.transaction() as db:
        db.execute(text("UPDATE system_settings SET import_enabled = true, move_processed = :moves"), {"moves": moves})
        actor, customer = make_user(db), make_customer(db)
        for job in KNOWN:
            first = arrive(db, report_mail(job, sent_at=NOW - timedelta(days=8_000)))
            (reading,) = readings_of(db, first.mail_id)
            approve_reading(db, reading.id, NewJob(customer_id=customer), actor=actor, now=NOW)
    session.dispose()


Start = Callable[[datetime], subprocess.Popen[bytes]]


def _workers(server: Server, name: str, graph: FakeGraph) -> Start:
    """Return what starts a worker that does at a time what the timer and all queue functions would do then."""
    mailbox = {"GRAPH_BASE_URL": graph.url, "GRAPH_MAILBOX": graph.mailbox.address}
    environment = {**os.environ, **server.environment(name), **mailbox}

    def start(now: datetime) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "shared.cli", "tick", "mail_import", "--json", "--now", now.isoformat()]
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    return start


def _run_and_kill(start: Start, kills: int, chance: random.Random) -> datetime:
    """Run two workers at once, again and again, and kill them at random moments; return how late it is then."""
    now, killed = NOW, 0
    while killed < kills:
        now += BETWEEN
        running = [start(now), start(now + AHEAD)]
        for process in running:
            try:
                process.wait(chance.uniform(0.5, 6))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
    return now


def _run_to_the_end(start: Start, now: datetime) -> None:
    """Run one worker undisturbed, as often as it takes to move everything too."""
    for _ in range(2):
        now += BETWEEN
        assert start(now).wait() == 0


def _ledger(server: Server, name: str) -> Counter[tuple[object, ...]]:
    """Return how readings ended and what their runs say, after the ledger was found whole.

    Without the ids: of two deliveries of one report it is chance which is the first.
    """
    engine = create_engine(server.url(name))
    with Session(engine) as db:
        assert broken_promises(db) == {}
        assert db.scalar(text("SELECT count(*) FROM mail_arrivals")) == 0
        rows = db.execute(
            text("""
                SELECT m.subject, m.sent_at, r.number, r.outcome, x.job_id, x.raw_status
                FROM mail_messages m
                JOIN mail_readings r ON r.mail_id = m.id
                LEFT JOIN job_runs x ON x.reading_id = r.id
            """)
        ).all()
    engine.dispose()
    return Counter(tuple(row) for row in rows)


def _ids(server: Server, name: str) -> list[str]:
    engine = create_engine(server.url(name))
    with engine.connect() as connection:
        found = connection.execute(text("SELECT graph_id FROM mail_messages WHERE graph_id IS NOT NULL")).scalars()
        ids = sorted(found)
    engine.dispose()
    return ids
