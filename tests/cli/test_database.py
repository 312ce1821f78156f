"""`migrate`, and `check`: whether the database fits this code."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.db.migrate import expected_revision
from tests.cli.command import Cli


def test_migrating_twice_ends_at_the_newest_revision(cli_unmigrated: Cli) -> None:
    answers = [cli_unmigrated("migrate", "--json") for _ in range(2)]

    assert [(answer.status, answer.lines) for answer in answers] == [(0, [{"revision": expected_revision()}])] * 2


def test_a_database_that_fits_is_said_to_be_fine(cli: Cli) -> None:
    answer = cli("check", "--json")

    newest = expected_revision()
    assert (answer.status, answer.err) == (0, "")
    assert answer.lines == [{"database": "ok", "revision": newest, "expected": newest, "ok": True}]


def test_a_database_without_tables_is_to_be_migrated(cli_unmigrated: Cli) -> None:
    answer = cli_unmigrated("check", "--json")

    assert answer.status == 1
    assert [(line["revision"], line["ok"]) for line in answer.lines] == [(None, False)]
    assert answer.err == f"The schema is at nothing, this code needs {expected_revision()}: run migrate.\n"


def test_a_schema_that_is_behind_is_named(cli: Cli, committed_db: Session) -> None:
    committed_db.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    committed_db.commit()

    answer = cli("check", "--json")

    assert answer.status == 1
    assert answer.lines[0]["revision"] == "0000"
    assert answer.err == f"The schema is at 0000, this code needs {expected_revision()}: run migrate.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--json"],
        ["migrate"],
        ["tick", "mail_import"],
        ["import", "--folder", "."],
        ["create-admin", "--username", "Anna", "--password-stdin"],
    ],
)
def test_a_database_that_cannot_be_reached_is_a_line_and_no_traceback(arguments: list[str], cli_alone: Cli) -> None:
    cli_alone.environment["DB_HOST"] = "/nowhere"

    answer = cli_alone(*arguments, stdin="three unrelated words")

    assert answer.status == 1
    assert answer.is_one_sentence
    assert answer.err.startswith('The database did not do it: connection to server on socket "/nowhere/')


@pytest.mark.parametrize(
    "setting, value, sentence",
    [
        ("DB_HOST", "", "DB_HOST is not set: no database to talk to"),
        ("DB_PORT", "many", "DB_PORT must be a whole number from 0 to 65535, not 'many'"),
        ("APP_ENV", "production", "APP_SECRET_KEY must have at least 32 characters in production"),
    ],
)
def test_a_setting_that_cannot_be_used_is_a_line(setting: str, value: str, sentence: str, cli_alone: Cli) -> None:
    cli_alone.environment[setting] = value

    answer = cli_alone("check", "--json")

    assert (answer.status, answer.out, answer.err) == (1, "", f"{sentence}\n")
