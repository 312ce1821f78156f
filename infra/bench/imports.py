"""How fast mails become committed runs, against the same rows inserted without thinking.

Both sides: the same embedded server with fsync on, two worker processes, one commit a mail.
"""

import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extras import Json
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from infra.local.postgres import Server
from shared import clock
from shared.db import migrate, session
from shared.domain.mailflow import Delivery, Ending, Source
from shared.domain.permissions import Role
from shared.domain.reading import Kind, Parsed
from shared.models.mail import MailMessage, MailReading
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.registry import read
from shared.services.approve_reading import NewJob, approve_reading
from shared.services.audit import Actor
from shared.services.edit_customer import TypedCustomer, add_customer
from shared.services.import_mail import import_mail
from shared.services.users import create_user

MAILS = 400
ROUNDS = 5
WORKERS = 2
_DATE = re.compile(rb"^Date:.*$", re.MULTILINE)
# What would betray that it is the sample again: its id, and when servers passed it on.
_TRACES = re.compile(rb"^(?:Message-ID|Received):.*\n(?:[ \t].*\n)*", re.MULTILINE | re.IGNORECASE)
# In the order of the foreign keys.
_TABLES = {
    "mail_messages": "id",
    "mail_raw": "mail_id",
    "mail_readings": "mail_id",
    "mail_objects": "reading_id",
    "job_runs": "reading_id",
}


def bench_import() -> dict[str, float]:
    """Return mails/s to committed runs, the floor's, and their ratio: medians of alternating rounds."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data", durable=True, name="bench")
        server.start()
        try:
            return _measure(server)
        finally:
            session.dispose()
            server.stop()


def _measure(server: Server) -> dict[str, float]:
    server.create_database("prepared")
    nights = _prepare(server.url("prepared"))
    rows: list[list[tuple[str, dict[str, Any]]]] = []
    ours, floor = [], []
    for number in range(ROUNDS):
        ours.append(_round(server, f"ours{number}", _import_all, nights))
        if not rows:
            rows = _rows_by_mail(server.url("ours0"))
        floor.append(_round(server, f"floor{number}", _insert_all, rows))
    ratio = statistics.median(mine / least for mine, least in zip(ours, floor, strict=True))
    return {
        "import_mails_per_second": round(statistics.median(ours), 1),
        "import_floor_mails_per_second": round(statistics.median(floor), 1),
        "import_ratio": round(ratio, 3),
    }


def _prepare(url: str) -> list[bytes]:
    """Migrate, approve the jobs of the samples, and return the mails of later nights, one of each job a night."""
    migrate.upgrade(url)
    session.configure(url)
    samples = [raw for sample in sample_files() if _makes_a_run(raw := sample.read_bytes())]
    first = datetime(2026, 1, 5, 3, tzinfo=UTC)
    with session.transaction() as db:
        user = create_user(db, "bench", None, [Role.ADMIN], now=first)
        actor = Actor(name="bench", user_id=user.id)
        customer = add_customer(db, TypedCustomer(name="Bench"), actor=actor, now=first)
        for number, raw in enumerate(samples):
            mail = Delivery(source=Source.FOLDER, raw=_dated(raw, first), name=f"{number}.eml")
            imported = import_mail(db, mail, now=first)
            waiting = select(MailReading.id).where(
                MailReading.mail_id == imported.mail_id, MailReading.outcome == Ending.INBOX
            )
            for reading_id in db.scalars(waiting):
                approve_reading(db, reading_id, NewJob(customer_id=customer.id, job_name="x"), actor=actor, now=first)
        samples = [samples[number] for number in _first_of_each_job(db)]
    session.dispose()
    nights = (first + timedelta(days=1 + number // len(samples)) for number in range(MAILS))
    return [_dated(samples[number % len(samples)], night) for number, night in enumerate(nights)]


def _first_of_each_job(db: Session) -> list[int]:
    """Return the numbers of samples of different jobs: two reports of one job at once would be one result."""
    first = select(func.min(MailMessage.id)).where(MailMessage.job_id.is_not(None)).group_by(MailMessage.job_id)
    names = db.scalars(select(MailMessage.file_name).where(MailMessage.id.in_(first)).order_by(MailMessage.id))
    return [int(name.removesuffix(".eml")) for name in names]


def _makes_a_run(raw: bytes) -> bool:
    """Keep reports of one named, regular job: what most mails of a morning are."""
    outcome = read(mail_from_eml(raw))
    if not isinstance(outcome, Parsed) or len(outcome.readings) != 1:
        return False
    reading = outcome.readings[0]
    return reading.kind is Kind.REGULAR and reading.job_name is not None and _DATE.search(raw) is not None


def _dated(raw: bytes, night: datetime) -> bytes:
    return _TRACES.sub(b"", _DATE.sub(b"Date: " + format_datetime(night).encode(), raw, count=1))


def _round(server: Server, name: str, work: Any, items: Sequence[Any]) -> float:  # noqa: ANN401 -- either side
    server.create_database(name, template="prepared")
    context = get_context("spawn")
    barrier = context.Barrier(WORKERS)
    times = context.Queue()
    shares = [items[number::WORKERS] for number in range(WORKERS)]
    workers = [context.Process(target=work, args=(server.url(name), share, barrier, times)) for share in shares]
    for worker in workers:
        worker.start()
    spans = [times.get(timeout=300) for _ in workers]
    for worker in workers:
        worker.join()
    seconds: float = max(end for _, end in spans) - min(start for start, _ in spans)
    return len(items) / seconds


def _import_all(url: str, raws: Sequence[bytes], barrier: Any, times: Any) -> None:  # noqa: ANN401
    session.configure(url)
    read(mail_from_eml(raws[0]))  # loads the parsers
    with session.transaction() as db:
        db.execute(select(MailReading.id).limit(1))
    barrier.wait()
    started = time.monotonic()
    for number, raw in enumerate(raws):
        with session.transaction() as db:
            import_mail(db, Delivery(source=Source.FOLDER, raw=raw, name=f"n{number}.eml"), now=clock.now())
    times.put((started, time.monotonic()))


def _insert_all(url: str, mails: Sequence[Sequence[tuple[str, dict[str, Any]]]], barrier: Any, times: Any) -> None:  # noqa: ANN401
    connection = psycopg2.connect(_dsn(url))
    cursor = connection.cursor()
    barrier.wait()
    started = time.monotonic()
    for rows in mails:
        for table, row in rows:
            columns = ", ".join(row)
            marks = ", ".join(["%s"] * len(row))
            values = [Json(value) if isinstance(value, list | dict) else value for value in row.values()]
            override = "" if table == "mail_raw" else "OVERRIDING SYSTEM VALUE"
            cursor.execute(f"INSERT INTO {table} ({columns}) {override} VALUES ({marks})", values)  # noqa: S608 -- our names
        connection.commit()
    times.put((started, time.monotonic()))
    connection.close()


def _rows_by_mail(url: str) -> list[list[tuple[str, dict[str, Any]]]]:
    """Return what our side stored for each of the nights' mails, in the order of the foreign keys."""
    with psycopg2.connect(_dsn(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM mail_messages WHERE file_name LIKE 'n%' ORDER BY id")
        return [_rows_of(cursor, mail_id) for (mail_id,) in cursor.fetchall()]


def _rows_of(cursor: Any, mail_id: int) -> list[tuple[str, dict[str, Any]]]:  # noqa: ANN401 -- psycopg2 is untyped
    found = []
    for table, key in _TABLES.items():
        same = "(SELECT id FROM mail_readings WHERE mail_id = %s)" if key == "reading_id" else "(%s)"
        cursor.execute(f"SELECT * FROM {table} WHERE {key} IN {same} ORDER BY 1", [mail_id])  # noqa: S608
        names = [column.name for column in cursor.description]
        for row in cursor.fetchall():
            values = (bytes(value) if isinstance(value, memoryview) else value for value in row)
            found.append((table, dict(zip(names, values, strict=True))))
    return found


def _dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
