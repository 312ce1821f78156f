"""Whose mails are in until when, where the source of a job's mails changed."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from shared.domain.mailflow import Source
from shared.models.system import ImportCycle
from shared.services.lease_mailbox import mailbox_id_of
from shared.services.mail_coverage import coverage_of_jobs
from shared.settings import settings
from tests.builders import NOW, make_job, make_run

MAILBOX = "reports@msp.example"
LONG_AGO = NOW - timedelta(days=30)


@pytest.fixture
def read_from_mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GRAPH_MAILBOX", MAILBOX)
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def read(db: Session) -> Callable[..., None]:
    def read(source: Source, at: object) -> None:
        mailbox_id = mailbox_id_of(db, MAILBOX) if source is Source.GRAPH else None
        moments = {"started_at": at, "finished_at": at}
        db.add(ImportCycle(source=source, mailbox_id=mailbox_id, trigger="timer", complete=True, **moments))
        db.flush()

    return read


@pytest.mark.usefixtures("read_from_mailbox")
def test_a_job_of_a_folder_that_nobody_reads_any_more_is_judged_by_the_mailbox(
    db: Session, read: Callable[..., None]
) -> None:
    """Its history was imported from files; since then all mails come by the mailbox, or its mails would."""
    job_id = make_job(db)
    make_run(db, job_id, run_at=LONG_AGO)
    read(Source.FOLDER, LONG_AGO)
    read(Source.GRAPH, NOW)

    assert coverage_of_jobs(db, [job_id]) == {job_id: NOW}


@pytest.mark.usefixtures("read_from_mailbox")
def test_a_folder_that_is_read_beside_the_mailbox_is_waited_for(db: Session, read: Callable[..., None]) -> None:
    job_id = make_job(db)
    make_run(db, job_id, run_at=LONG_AGO)
    read(Source.FOLDER, NOW - timedelta(hours=8))
    read(Source.GRAPH, NOW)

    assert coverage_of_jobs(db, [job_id]) == {job_id: NOW - timedelta(hours=8)}


def test_an_outage_of_the_only_source_is_waited_for(db: Session, read: Callable[..., None]) -> None:
    job_id = make_job(db)
    make_run(db, job_id, run_at=LONG_AGO)
    read(Source.FOLDER, LONG_AGO)

    assert coverage_of_jobs(db, [job_id]) == {job_id: LONG_AGO}
