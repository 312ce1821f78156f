"""The import is killed at random moments until it is through: nothing lost, nothing twice, the ledger adds up."""

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from infra.local.postgres import Server
from shared.db import migrate, session
from shared.services.approve_reading import NewJob, approve_reading
from tests.builders import NOW, arrive, make_customer, make_user, nights, readings_of
from tests.ledger import broken_promises
from tests.mails import digest_mail, report_mail, rubbish_mail, trial_mail, update_mail

ROOT = Path(__file__).parents[2]
KNOWN = ("Nightly", "Databases", "File server")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps what it committed, whatever is killed."""
    running = Server(tmp_path / "data", durable=True, name="kill")
    running.start()
    yield running
    running.stop()


@pytest.mark.slow
def test_a_killed_import_loses_and_doubles_nothing(server: Server, tmp_path: Path) -> None:
    _prove(server, tmp_path, mails=100, importers=1, seed=7)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_competing_imports_killed_again_and_again(server: Server, tmp_path: Path, seed: int) -> None:
    _prove(server, tmp_path, mails=1_000, importers=2, seed=seed)


def _prove(server: Server, tmp_path: Path, *, mails: int, importers: int, seed: int) -> None:
    folder = tmp_path / "mailbox"
    files = _fill(folder, mails)
    _prepare(server, "disturbed")
    _prepare(server, "calm")

    kills = _import_until_done(server, "disturbed", folder, importers, random.Random(seed))
    _import_until_done(server, "calm", folder, 1, None)

    assert kills > 0
    disturbed, calm = _outcomes(server, "disturbed", files), _outcomes(server, "calm", files)
    assert disturbed == calm
    assert set(disturbed) == files


def _fill(folder: Path, mails: int) -> set[str]:
    """Write mails of known jobs, new jobs, digests, events, undated notices, doubles and rubbish."""
    folder.mkdir()
    for number, night in enumerate(nights(mails)):
        kinds = (
            lambda n=number, at=night: report_mail(KNOWN[n % 3], sent_at=at),
            lambda n=number, at=night: report_mail(KNOWN[n % 3], status="Failed", sent_at=at),
            lambda n=number, at=night: report_mail(f"New {n % 7}", sent_at=at),
            lambda at=night: digest_mail(
                ("Nightly", "Success"), ("Elsewhere", "Failed"), sent_at=at + timedelta(hours=1)
            ),
            lambda at=night: trial_mail(sent_at=at),
            lambda: update_mail(sent_at=None),
            lambda at=night: rubbish_mail(sent_at=at),
            lambda: b"\x00\x01 this is no mail\n",
            lambda: report_mail("Nightly", sent_at=nights(1)[0] - timedelta(days=9)),  # a double, but for the first
            lambda n=number, at=night: report_mail(KNOWN[n % 3], sent_at=at, cut=True),
        )
        (folder / f"{number:05}.eml").write_bytes(kinds[number % len(kinds)]())
    return {path.name for path in folder.iterdir()}


def _prepare(server: Server, name: str) -> None:
    server.create_database(name)
    migrate.upgrade(server.url(name))
    session.configure(server.url(name))
    with session.transaction() as db:
        actor, customer = make_user(db), make_customer(db)
        for job in KNOWN:
            first = arrive(db, report_mail(job, sent_at=nights(1)[0] - timedelta(days=30)))
            (reading,) = readings_of(db, first.mail_id)
            approve_reading(db, reading.id, NewJob(customer_id=customer), actor=actor, now=NOW)
    session.dispose()


def _import_until_done(server: Server, name: str, folder: Path, importers: int, chance: random.Random | None) -> int:
    """Start importers and kill them at random, until one came to its end; return how many were killed."""
    environment = {**os.environ, **server.environment(name)}
    command = [sys.executable, "-m", "shared.cli", "import", "--json", "--folder", str(folder)]
    for attempt in range(100):
        running = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(importers)
        ]
        # The first attempts end early for certain; later ones get longer, so that the work is done some day.
        patience = None if chance is None else chance.uniform(0.8, 1.4 + attempt / 3)
        for process in running:
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if any(process.returncode == 0 for process in running):
            return attempt
    raise AssertionError("the import never came to its end")


def _outcomes(server: Server, name: str, files: set[str]) -> dict[str, Counter[str]]:
    """Return how each file's readings ended and what its runs say, after the ledger was found whole."""
    engine = create_engine(server.url(name))
    with Session(engine) as db:
        assert broken_promises(db) == {}
        rows = db.execute(
            text("""
                SELECT m.file_name, r.number || ':' || r.outcome || ':' || coalesce(x.raw_status, '-')
                FROM mail_messages m
                JOIN mail_readings r ON r.mail_id = m.id
                LEFT JOIN job_runs x ON x.reading_id = r.id
                WHERE m.file_name = ANY(:files)
            """),
            {"files": list(files)},
        ).all()
    engine.dispose()
    found: dict[str, Counter[str]] = {}
    for file, ending in rows:
        found.setdefault(file, Counter())[ending] += 1
    return found
