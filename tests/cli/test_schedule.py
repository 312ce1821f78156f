"""`cli schedule` learns the schedules of a history and judges it, without a database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.command import Cli

FACTS = ["job", "kind", "description", "confidence", "grace_minutes", "next_slots", "missed", "late"]
FIRST = datetime(2026, 6, 1, 20, tzinfo=UTC)
UNTIL = "2026-06-21T12:00:00+02:00"


def nightly(*, without: tuple[int, ...] = (), late: tuple[int, ...] = ()) -> list[datetime]:
    nights = range(20)
    return [FIRST + timedelta(days=day, hours=5 * (day in late)) for day in nights if day not in without]


def csv_of(path: Path, jobs: dict[str, list[datetime]], *, status: str = "success") -> Path:
    rows = sorted((ran_at, job) for job, runs in jobs.items() for ran_at in runs)
    lines = [f'"{job}",{ran_at.isoformat()},{status}' for ran_at, job in rows]
    path.write_text("job,ran_at,status\r\n" + "\r\n".join(lines) + "\r\n", encoding="utf-8")
    return path


@pytest.fixture
def cli() -> Cli:
    return Cli()


def test_a_line_a_job_says_what_was_learned_missed_and_late(cli: Cli, tmp_path: Path) -> None:
    path = csv_of(tmp_path / "history.csv", {"Servers, nightly": nightly(without=(12,), late=(15,))})

    answer = cli("schedule", "--json", "--until", UNTIL, path)

    (line,) = answer.lines
    assert (answer.status, list(line)) == (0, FACTS)
    assert (line["job"], line["kind"], line["description"]) == ("Servers, nightly", "daily", "daily at 22:00")
    assert line["missed"] == ["2026-06-13T20:00:00+00:00"]
    assert line["late"] == ["2026-06-16T20:00:00+00:00"]
    assert len(line["next_slots"]) == 5
    assert line["next_slots"][0] == "2026-06-21T20:00:00+00:00"


def test_slots_before_from_and_those_whose_grace_still_runs_are_not_judged(cli: Cli, tmp_path: Path) -> None:
    path = csv_of(tmp_path / "history.csv", {"Servers": nightly(without=(12, 19))})

    answer = cli("schedule", "--json", "--from", "2026-06-15T00:00:00Z", "--until", "2026-06-20T20:10:00Z", path)

    assert answer.lines[0]["missed"] == []


def test_few_runs_teach_nothing(cli: Cli, tmp_path: Path) -> None:
    path = csv_of(tmp_path / "history.csv", {"New": nightly()[:2]})

    (line,) = cli("schedule", "--json", "--until", UNTIL, path).lines

    assert (line["kind"], line["confidence"], line["grace_minutes"]) == ("unknown", None, None)
    assert line["next_slots"] == line["missed"] == line["late"] == []


def test_informational_reports_never_teach_and_are_never_missed(cli: Cli, tmp_path: Path) -> None:
    path = csv_of(tmp_path / "history.csv", {"Updates": nightly(without=(12,))}, status="informational")

    (line,) = cli("schedule", "--json", "--until", UNTIL, path).lines

    assert (line["job"], line["kind"], line["missed"]) == ("Updates", "unknown", [])


@pytest.mark.parametrize(
    "content, words",
    [
        ("name,when\nx,y\n", "header lacks job and ran_at"),
        ("job,ran_at\nServers,yesterday\n", "line 2: 'yesterday' is no ISO 8601 time"),
        ("job,ran_at\nServers,2026-06-01T20:00:00\n", "line 2: '2026-06-01T20:00:00' has no offset"),
        ("job,ran_at\n,2026-06-01T20:00:00Z\n", "line 2: no job"),
        ('job,ran_at\n"Servers,2026-06-01T20:00:00Z\n', "line"),
        ("", "header lacks"),
    ],
)
def test_a_history_that_cannot_be_used_is_refused_with_its_line(
    cli: Cli, tmp_path: Path, content: str, words: str
) -> None:
    path = tmp_path / "history.csv"
    path.write_text(content)

    answer = cli("schedule", "--json", "--until", UNTIL, path)

    assert (answer.status, answer.is_one_sentence) == (1, True)
    assert words in answer.err


def test_bytes_that_are_no_text_are_refused(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(b"job,ran_at\n\xff\xfe,2026-06-01T20:00:00Z\n")

    answer = cli("schedule", "--json", "--until", UNTIL, path)

    assert (answer.status, answer.is_one_sentence) == (1, True)


@pytest.mark.parametrize(
    "arguments", [["--until", "tomorrow"], [], ["--until", UNTIL, "--zone", "Middle/Earth"], ["--until", "2026-06-21"]]
)
def test_wrong_usage_has_its_own_status(cli: Cli, tmp_path: Path, arguments: list[str]) -> None:
    path = csv_of(tmp_path / "history.csv", {"Servers": nightly()})

    assert cli("schedule", "--json", *arguments, path).status == 2
