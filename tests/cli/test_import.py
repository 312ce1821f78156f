"""Importing by command, and by the timer's command."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.domain.timer import Timer
from shared.models.mail import MailMessage
from shared.models.system import ImportCycle
from tests.builders import count_of, make_customer, make_job
from tests.cli.command import Answer, Cli
from tests.mails import digest_mail, report_mail, rubbish_mail, trial_mail

NOTHING = {
    "run": 0,
    "inbox": 0,
    "duplicate": 0,
    "ignored": 0,
    "archived": 0,
    "dismissed": 0,
    "event": 0,
    "quarantined": 0,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with seven readings in six mails, one of them below another folder."""
    mails = {
        "known.eml": report_mail("Known"),
        "copy.eml": report_mail("Known"),
        "several.eml": digest_mail(("One", "Success"), ("Two", "Failed")),
        "trial.eml": trial_mail(),
        "below/archived.EML": report_mail("Filed away"),
        "logo.eml": b"\x89PNG\r\n\x1a\n",
        "notes.txt": b"not looked at",
    }
    for name, raw in mails.items():
        path = tmp_path / "mails" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    return tmp_path / "mails"


@pytest.fixture
def jobs(committed_db: Session) -> None:
    customer = make_customer(committed_db)
    make_job(committed_db, "Known", customer_id=customer)
    make_job(committed_db, "Filed away", customer_id=customer, archived=True)
    committed_db.commit()


def switch_import_on(db: Session) -> None:
    db.execute(text("UPDATE system_settings SET import_enabled = true, import_interval_minutes = 15"))
    db.commit()


def started(db: Session) -> list[datetime]:
    return list(db.scalars(select(ImportCycle.started_at).order_by(ImportCycle.id)))


def test_a_folder_is_imported_with_every_outcome_counted(cli: Cli, jobs: None, folder: Path) -> None:
    answer = cli("import", "--folder", folder, "--json")

    assert answer.status == 0
    [counts] = answer.lines
    assert counts.pop("seconds") > 0
    assert counts == {
        "fetched": 6,
        "readings": 7,
        "outcomes": NOTHING | {"run": 1, "duplicate": 1, "inbox": 2, "event": 1, "archived": 1, "quarantined": 1},
    }


def test_the_second_time_changes_nothing(cli: Cli, committed_db: Session, jobs: None, folder: Path) -> None:
    cli("import", "--folder", folder, "--json")
    stored = count_of(committed_db, MailMessage)

    answer = cli("import", "--folder", folder, "--json")

    [counts] = answer.lines
    assert (answer.status, counts["fetched"], counts["readings"]) == (0, 6, 7)
    assert counts["outcomes"] == NOTHING | {"duplicate": 7}
    assert count_of(committed_db, MailMessage) == stored


def test_an_empty_folder_counts_nothing(cli: Cli, tmp_path: Path) -> None:
    [counts] = cli("import", "--folder", tmp_path, "--json").lines

    assert (counts["fetched"], counts["readings"], counts["outcomes"]) == (0, 0, NOTHING)


def test_progress_stays_out_of_stdout(cli: Cli, tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}.eml").write_bytes(rubbish_mail(f"Mail {number}"))

    answer = cli("import", "--folder", tmp_path, "--json")

    assert answer.lines[0]["outcomes"] == NOTHING | {"inbox": 50}
    assert "50 mails" in answer.err


def test_a_folder_that_is_not_there_is_wrong_usage(cli: Cli, tmp_path: Path) -> None:
    answer = cli("import", "--folder", tmp_path / "nowhere", "--json")

    assert answer.status == 2
    assert answer.is_one_sentence
    assert answer.err == f"the mail folder {tmp_path / 'nowhere'} does not exist\n"


def test_importing_into_a_database_without_tables_says_what_helps(cli_unmigrated: Cli, folder: Path) -> None:
    answer = cli_unmigrated("import", "--folder", folder, "--json")

    assert answer.status == 1
    assert answer.err == "The database lacks what this code needs: run migrate.\n"


def test_a_tick_imports_when_it_is_time_by_the_time_it_is_told(
    cli: Cli, committed_db: Session, jobs: None, folder: Path
) -> None:
    cli.environment["MAIL_FOLDER"] = str(folder)
    switch_import_on(committed_db)

    def tick(now: str) -> Answer:
        return cli("tick", "mail_import", "--json", "--now", now)

    first, early, due = tick("2026-03-03T08:00:00+01:00"), tick("2026-03-03T07:10:00Z"), tick("2026-03-03T07:15:00Z")

    assert [each.status for each in (first, early, due)] == [0, 0, 0]
    assert first.lines == [
        {"cycles": 1, "fetched": 6, "new": 6, "readings": 7}
        | {"run": 1, "duplicate": 1, "inbox": 2, "event": 1, "archived": 1, "quarantined": 1}
    ]
    assert early.lines == [{"cycles": 0}]
    assert (due.lines[0]["cycles"], due.lines[0]["new"]) == (1, 0)
    assert started(committed_db) == [datetime(2026, 3, 3, 7, minute, tzinfo=UTC) for minute in (0, 15)]


def test_a_tick_does_nothing_while_automatic_import_is_off(cli: Cli, folder: Path) -> None:
    cli.environment["MAIL_FOLDER"] = str(folder)

    answer = cli("tick", "mail_import", "--json")

    assert (answer.status, answer.lines) == (0, [{"cycles": 0}])


@pytest.mark.parametrize("timer", Timer, ids=str)
def test_every_timer_can_be_ticked_by_hand(cli: Cli, folder: Path, timer: Timer) -> None:
    answer = cli("tick", timer, "--json")

    assert answer.status == 0, answer.err
    assert set(map(type, answer.lines[0].values())) <= {int}


def test_a_tick_without_its_folder_fails_with_a_line(cli: Cli, committed_db: Session, tmp_path: Path) -> None:
    cli.environment["MAIL_FOLDER"] = str(tmp_path / "nowhere")
    switch_import_on(committed_db)

    answer = cli("tick", "mail_import", "--json")

    assert answer.status == 1
    assert answer.err.endswith("does not exist\n")
    assert "Traceback" not in answer.err
