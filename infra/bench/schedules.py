"""How fast schedules are learned and slots judged, against one scan of the same rows.

The scan reads every run, or every slot and run of the look-back, once and in the order of jobs, as plain tuples. Both
sides: the same embedded server with fsync on; ours in two worker processes, as queue messages are worked off.
"""

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg2
from sqlalchemy.engine import make_url

from infra.bench.schedule_rows import ANALYSE, JOBS_WITH_HISTORY, ONE_MORE_NIGHT
from infra.local.postgres import Server
from shared.clients.queue_memory import MemoryQueues
from shared.db import migrate, session
from shared.domain.queue_message import MAX_JOBS, Queue
from shared.services.keep_slots import keep_slots
from shared.services.learn_schedules import learn_schedules
from shared.services.tick_missed_runs import handle_job_watch, tick_missed_runs

JOBS = 4_000
ALL_JOBS = 50_000
DAYS = 180
WORKERS = 2
EVENING = datetime(2026, 6, 30, 16, tzinfo=UTC)  # everything is learned
MORNING = datetime(2026, 7, 1, 8, tzinfo=UTC)  # the runs of a night are in, except those that are missed
MISSED_EVERY = 50  # jobs
_RUNS = "SELECT job_id, run_at FROM job_runs ORDER BY job_id, run_at"
_DUE = (
    """
    SELECT job_id, slot_at, early_from, deadline, state, run_id FROM job_slots
    WHERE deadline >= %(since)s ORDER BY job_id, slot_at
""",
    """
    SELECT job_id, run_at, id FROM job_runs WHERE run_at >= %(since)s ORDER BY job_id, run_at
""",
)


def bench_schedules(jobs: int = JOBS) -> dict[str, float]:
    """Return jobs/s that are learned and looked after at a tick, and how many times one scan each takes."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "data", durable=True, name="bench")
        server.start()
        try:
            server.create_database("schedules")
            return _measure(server.url("schedules"), jobs)
        finally:
            session.dispose()
            server.stop()


def _measure(url: str, jobs: int) -> dict[str, float]:
    migrate.upgrade(url)
    _run(url, JOBS_WITH_HISTORY, jobs=jobs, days=DAYS, until=EVENING)
    _run(url, ANALYSE)
    session.configure(url)
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), session.configure, (url,)) as workers:
        _each_range(workers, len, WORKERS * MAX_JOBS)  # they have started, and loaded what they need
        scan = _seconds(partial(_scan, url, [_RUNS]))
        learning = _seconds(partial(_each_range, workers, _learn, jobs))
        _each_range(workers, _keep, jobs)
        _tick(workers, EVENING)
        _run(url, ONE_MORE_NIGHT, since=EVENING, covered=MORNING, missed_every=MISSED_EVERY)
        _run(url, ANALYSE)
        due_scan = _seconds(partial(_scan, url, _DUE))
        tick = _seconds(partial(_tick, workers, MORNING))
    return {
        "schedule_jobs": jobs,
        "learn_seconds": round(learning, 1),
        "learn_scans": round(learning / scan, 1),
        "tick_seconds": round(tick, 1),
        "tick_scans": round(tick / due_scan, 1),
    }


def _seconds(work: Any) -> float:  # noqa: ANN401 -- whatever it returns
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _each_range(workers: Executor, work: Any, jobs: int) -> None:  # noqa: ANN401
    ids = range(1, jobs + 1)
    list(workers.map(work, (ids[first : first + MAX_JOBS] for first in range(0, jobs, MAX_JOBS))))


def _learn(job_ids: Sequence[int]) -> None:
    with session.transaction() as db:
        learn_schedules(db, job_ids, now=EVENING)


def _keep(job_ids: Sequence[int]) -> None:
    with session.transaction() as db:
        keep_slots(db, job_ids, now=EVENING)


def _tick(workers: Executor, now: datetime) -> None:
    queues = MemoryQueues()
    tick_missed_runs(queues, clock=lambda: now)
    messages = []
    while (message := queues.take(Queue.JOB_WATCH.value)) is not None:
        messages.append(message.body)
    list(workers.map(partial(_handle, now), messages))


def _handle(now: datetime, text: str) -> None:
    handle_job_watch(text, MemoryQueues(), clock=lambda: now)


def _scan(url: str, statements: Sequence[str]) -> None:
    with psycopg2.connect(_dsn(url)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, {"since": MORNING - timedelta(days=15)})
            while cursor.fetchmany(10_000):
                pass


def _run(url: str, statements: str, **values: object) -> None:
    with psycopg2.connect(_dsn(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statements, values)


def _dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
