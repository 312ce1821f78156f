"""A whole read of a folder: one bad mail never stops the others, and only a complete read covers its time."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from shared.clients.mailbox import FolderMailbox, FolderUnreadable
from shared.domain.mailflow import Ending
from shared.models.mail import MailMessage, MailRaw, MailReading
from shared.models.system import ImportCycle, SystemSettings
from shared.services.import_mailbox import Summary, import_deliveries, import_mailbox
from tests.builders import NOW, count_of, delivery, make_job, nights, runs_of
from tests.hostile import hostile_mails
from tests.ledger import broken_promises
from tests.mails import digest_mail, report_mail, rubbish_mail, trial_mail


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a report of each of three nights."""
    for number, at in enumerate(nights(3)):
        (tmp_path / f"{number}.eml").write_bytes(report_mail(sent_at=at, objects=(f"NIGHT-{number}",)))
    return tmp_path


def read_folder(folder: Path, *, limit: int | None = None, now: datetime = NOW) -> Summary:
    return import_mailbox(FolderMailbox(folder), trigger="test", clock=lambda: now, limit=limit)


def cycles(db: Session) -> list[ImportCycle]:
    query = select(ImportCycle).order_by(ImportCycle.id)
    return list(db.scalars(query.execution_options(populate_existing=True)))


def endings_by_file(db: Session) -> dict[str, list[Ending]]:
    found: dict[str, list[Ending]] = {}
    rows = db.execute(
        select(MailMessage.file_name, MailReading.outcome)
        .join(MailReading, MailReading.mail_id == MailMessage.id)
        .order_by(MailMessage.file_name, MailReading.number)
    )
    for name, outcome in rows:
        found.setdefault(name, []).append(outcome)
    return found


def refuse(db: Session, *, sqlstate: str, times: int = 1_000) -> None:
    """Let the database refuse the mail of the second night, so many times, with this error."""
    db.execute(
        text(f"""
        CREATE SEQUENCE tries;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF new.name = 'NIGHT-1' AND nextval('tries') <= {times} THEN
                RAISE EXCEPTION 'refused' USING ERRCODE = '{sqlstate}';
            END IF;
            RETURN new;
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON mail_objects FOR EACH ROW EXECUTE FUNCTION refuse();
        """)
    )
    db.commit()


def test_a_folder_is_counted_by_mails_and_by_readings(committed_db: Session, folder: Path) -> None:
    job_id = make_job(committed_db)
    committed_db.commit()
    (folder / "3.eml").write_bytes(digest_mail(("One", "Success"), ("Two", "Failed")))
    (folder / "4.eml").write_bytes(trial_mail())
    (folder / "5.eml").write_bytes(b"no mail")
    (folder / "notes.txt").write_bytes(b"not looked at")

    summary = read_folder(folder)

    assert (summary.fetched, summary.new, summary.readings) == (6, 6, 7)
    assert summary.outcomes == {"run": 3, "inbox": 2, "event": 1, "quarantined": 1}
    assert len(runs_of(committed_db, job_id)) == 3
    (cycle,) = cycles(committed_db)
    assert (cycle.complete, cycle.started_at, cycle.finished_at) == (True, NOW, NOW)
    assert cycle.counts["fetched"] == 6


def test_the_same_folder_again_changes_nothing_and_counts_duplicates(committed_db: Session, folder: Path) -> None:
    read_folder(folder)
    before = endings_by_file(committed_db)

    again = read_folder(folder, now=NOW + timedelta(hours=1))

    assert (again.fetched, again.new, again.outcomes) == (3, 0, {"duplicate": 3})
    assert endings_by_file(committed_db) == before


def test_files_below_are_found_whatever_their_case(committed_db: Session, folder: Path) -> None:
    (folder / "deeper" / "still").mkdir(parents=True)
    (folder / "deeper" / "still" / "LOUD.EML").write_bytes(rubbish_mail())
    (folder / "a folder.eml").mkdir()

    assert read_folder(folder).fetched == 4


def test_a_file_that_cannot_be_read_is_told_of_and_leaves_the_read_incomplete(
    committed_db: Session, folder: Path
) -> None:
    (folder / "0-loop.eml").symlink_to(folder / "0-loop.eml")
    mailbox = FolderMailbox(folder)

    summary = import_mailbox(mailbox, trigger="test", clock=lambda: NOW)

    assert (summary.fetched, mailbox.unreadable) == (3, ["0-loop.eml"])
    assert [cycle.complete for cycle in cycles(committed_db)] == [False]


def test_a_file_whose_name_is_no_text_comes_in(committed_db: Session, folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.eml")).write_bytes(b"no mail")

    assert read_folder(folder).outcomes["quarantined"] == 1
    assert "??.eml" in endings_by_file(committed_db)


def test_a_folder_that_is_gone_covers_nothing(committed_db: Session, tmp_path: Path) -> None:
    with pytest.raises(FolderUnreadable):
        read_folder(tmp_path / "gone")

    assert [cycle.complete for cycle in cycles(committed_db)] == [False]


def test_a_batch_ends_early_and_covers_nothing(committed_db: Session, folder: Path) -> None:
    new = [read_folder(folder, limit=2).new for _ in range(3)]

    assert new == [2, 1, 0]
    assert [cycle.complete for cycle in cycles(committed_db)] == [False, True, True]


@pytest.mark.parametrize("sqlstate", ["23514", "22001", "54000"])
def test_a_mail_that_the_database_refuses_is_kept_and_stops_no_other(
    committed_db: Session, folder: Path, sqlstate: str
) -> None:
    refuse(committed_db, sqlstate=sqlstate)

    read_folder(folder)

    assert endings_by_file(committed_db) == {
        "0.eml": [Ending.INBOX],
        "1.eml": [Ending.QUARANTINED],
        "2.eml": [Ending.INBOX],
    }
    assert count_of(committed_db, MailRaw) == 3
    assert broken_promises(committed_db) == {}


@pytest.mark.parametrize("sqlstate", ["40P01", "40001", "23503"])
def test_a_mail_that_met_somebody_elses_work_is_tried_again(committed_db: Session, folder: Path, sqlstate: str) -> None:
    refuse(committed_db, sqlstate=sqlstate, times=1)

    read_folder(folder)

    assert endings_by_file(committed_db)["1.eml"] == [Ending.INBOX]


@pytest.mark.parametrize("sqlstate", ["53100", "57P01"])
def test_a_database_that_is_full_or_going_down_stops_the_read_and_loses_nothing(
    committed_db: Session, folder: Path, sqlstate: str
) -> None:
    refuse(committed_db, sqlstate=sqlstate, times=1)

    with pytest.raises(OperationalError):
        read_folder(folder)
    interrupted = endings_by_file(committed_db)
    read_folder(folder)

    assert list(interrupted) == ["0.eml"]
    assert list(endings_by_file(committed_db)) == ["0.eml", "1.eml", "2.eml"]
    assert [cycle.complete for cycle in cycles(committed_db)] == [False, True]


def test_raw_mails_are_kept_as_the_settings_say(committed_db: Session, folder: Path) -> None:
    committed_db.execute(update(SystemSettings).values(raw_days=0))
    committed_db.commit()

    read_folder(folder)

    assert (count_of(committed_db, MailMessage), count_of(committed_db, MailRaw)) == (3, 0)


def test_an_upload_covers_no_mailbox(committed_db: Session) -> None:
    imported = import_deliveries([delivery(report_mail()), delivery(b"no mail")], clock=lambda: NOW)

    assert [each.endings for each in imported] == [(Ending.INBOX,), (Ending.QUARANTINED,)]
    assert cycles(committed_db) == []


@pytest.mark.slow
def test_every_hostile_mail_comes_in_with_an_outcome(committed_db: Session) -> None:
    hostile = {name: raw for name, raw in hostile_mails().items() if len(raw) < 2_000_000}

    imported = import_deliveries([delivery(raw, name) for name, raw in hostile.items()], clock=lambda: NOW)

    assert len(imported) == len(hostile)
    crashed = select(MailMessage.file_name).join(MailReading, MailReading.mail_id == MailMessage.id)
    assert committed_db.scalars(crashed.where(MailReading.reason.startswith("the import crashed"))).all() == []
    assert broken_promises(committed_db) == {}
