"""The import timer: what happens at a tick, and what the command line does in its place."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared import cli
from shared.clients.mailbox import FolderMailbox
from shared.models.mail import MailMessage
from shared.models.system import ImportCycle, SystemSettings
from shared.services.tick_mail_import import tick_folder
from shared.settings import settings

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


@pytest.fixture
def mailbox(tmp_path: Path) -> FolderMailbox:
    for number in range(3):
        text = (
            f"From: nas@larch.example\nSubject: Mail {number}\nDate: Tue, 24 Nov 2026 06:0{number}:00 +0000\n\nHello\n"
        )
        (tmp_path / f"{number}.eml").write_text(text)
    return FolderMailbox(tmp_path)


@pytest.fixture
def mail_folder(mailbox: FolderMailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MAIL_FOLDER", str(mailbox.folder))
    settings.cache_clear()
    yield mailbox.folder
    settings.cache_clear()


def set_import(db: Session, **values: object) -> None:
    db.execute(update(SystemSettings).values(**values))
    db.commit()


def tick(mailbox: FolderMailbox, after: timedelta = timedelta()) -> dict[str, int]:
    return tick_folder(mailbox, clock=lambda: NOW + after)


def test_a_tick_does_nothing_while_the_import_is_off(committed_db: Session, mailbox: FolderMailbox) -> None:
    counts = tick(mailbox)

    assert counts == {"cycles": 0}
    assert committed_db.scalars(select(MailMessage)).all() == []
    assert committed_db.scalars(select(ImportCycle)).all() == []


def test_ticks_import_once_an_interval(committed_db: Session, mailbox: FolderMailbox) -> None:
    set_import(committed_db, import_enabled=True, import_interval_minutes=15)

    ticks = [tick(mailbox, timedelta(minutes=minutes))["cycles"] for minutes in (0, 5, 10, 15, 20, 30)]

    assert ticks == [1, 0, 0, 1, 0, 1]
    assert len(committed_db.scalars(select(MailMessage)).all()) == 3


def test_an_import_by_hand_does_not_delay_the_timer(committed_db: Session, mailbox: FolderMailbox) -> None:
    set_import(committed_db, import_enabled=True)
    committed_db.add(ImportCycle(source=mailbox.source, trigger="manual", started_at=NOW, complete=True))
    committed_db.commit()

    assert tick(mailbox)["new"] == 3


def test_a_tick_takes_at_most_a_batch_and_the_next_one_goes_on(committed_db: Session, mailbox: FolderMailbox) -> None:
    set_import(committed_db, import_enabled=True, import_batch=2)

    new = [tick(mailbox, timedelta(hours=hours))["new"] for hours in range(3)]

    assert new == [2, 1, 0]
    cycles = committed_db.scalars(select(ImportCycle).order_by(ImportCycle.started_at)).all()
    assert [cycle.complete for cycle in cycles] == [False, True, True]


def test_the_command_line_ticks_as_the_timer_would(
    committed_db: Session, mail_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_import(committed_db, import_enabled=True)

    status = [cli.main(["tick", "mail_import", "--json", "--now", "2026-11-24T08:00:00+01:00"]) for _ in range(2)]

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert status == [0, 0]
    assert [line["cycles"] for line in lines] == [1, 0]
    assert lines[0]["fetched"] == 3
    assert committed_db.scalars(select(ImportCycle.started_at)).all() == [NOW]


def test_a_tick_on_a_folder_that_is_gone_fails_loudly(
    committed_db: Session, mail_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_import(committed_db, import_enabled=True)
    for path in mail_folder.iterdir():
        path.unlink()
    mail_folder.rmdir()

    status = cli.main(["tick", "mail_import"])

    assert status == 1
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [["tick"], ["tick", "tea_time"], ["tick", "mail_import", "--now", "2026-11-24T08:00"]]
)
def test_a_wrong_tick_says_what_is_wrong(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(wrong)

    assert stop.value.code == 2
    assert "usage" in capsys.readouterr().err
