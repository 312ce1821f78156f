import os
from pathlib import Path

import pytest

from tests.cli.command import Cli
from tests.mails import digest_mail, report_mail, rubbish_mail

FACTS = {
    "file",
    "outcome",
    "parser",
    "software",
    "backup_type",
    "job_name",
    "origin",
    "status",
    "informational",
    "objects",
    "started_at",
    "ended_at",
    "reason",
    "readings",
}
MAILS = {
    "parsed": report_mail("Nightly", status="Failed", origin="OAK-VBR"),
    "unreadable": report_mail("Nightly", cut=True),
    "unrecognised": rubbish_mail(),
    "quarantined": b"\x89PNG\r\n\x1a\n",
}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A mail of each outcome."""
    written = {outcome: tmp_path / f"{outcome}.eml" for outcome in MAILS}
    for outcome, path in written.items():
        path.write_bytes(MAILS[outcome])
    return written


def test_each_file_gets_its_line_in_the_order_given_and_no_outcome_is_an_error(
    cli_alone: Cli, files: dict[str, Path]
) -> None:
    given = ["quarantined", "parsed", "unrecognised", "unreadable", "parsed"]

    answer = cli_alone("parse", "--json", *(files[outcome] for outcome in given))

    assert (answer.status, answer.err) == (0, "")
    assert [(line["outcome"], line["file"]) for line in answer.lines] == [
        (outcome, str(files[outcome])) for outcome in given
    ]


@pytest.mark.parametrize("outcome", MAILS)
def test_every_line_has_every_fact_and_an_absent_one_is_null(
    outcome: str, cli_alone: Cli, files: dict[str, Path]
) -> None:
    [line] = cli_alone("parse", "--json", files[outcome]).lines

    assert line.keys() >= FACTS
    assert isinstance(line["informational"], bool)
    assert "" not in [line[fact] for fact in FACTS]
    assert all(
        reading.keys() >= FACTS - {"file", "outcome", "parser", "reason", "readings"} for reading in line["readings"]
    )


def test_a_report_tells_what_it_says(cli_alone: Cli, files: dict[str, Path]) -> None:
    [line] = cli_alone("parse", "--json", files["parsed"]).lines

    facts = (line["software"], line["backup_type"], line["job_name"], line["origin"], line["status"], line["reason"])
    assert facts == ("Veeam Backup & Replication", "Backup job", "Nightly", "OAK-VBR", "failed", None)
    assert [(thing["name"], thing["type"], thing["status"]) for thing in line["objects"]] == [
        ("OAK-FS1", "VM", "success"),
        ("OAK-DC1", "VM", "failed"),
    ]
    assert all(thing.keys() == {"name", "type", "status", "message"} for thing in line["objects"])


@pytest.mark.parametrize("outcome", ["unreadable", "unrecognised", "quarantined"])
def test_what_could_not_be_read_says_why_and_never_how_it_went(
    outcome: str, cli_alone: Cli, files: dict[str, Path]
) -> None:
    [line] = cli_alone("parse", "--json", files[outcome]).lines

    assert line["reason"]
    assert (line["status"], line["objects"], line["readings"]) == (None, [], [])


def test_a_digest_shows_its_worst_job_all_objects_and_each_reading(cli_alone: Cli, tmp_path: Path) -> None:
    path = tmp_path / "digest.eml"
    path.write_bytes(digest_mail(("One", "Success"), ("Two", "Failed"), ("Three", "Warning")))

    [line] = cli_alone("parse", "--json", path).lines

    assert (line["job_name"], line["status"], len(line["objects"])) == ("Two", "failed", 6)
    assert [reading["job_name"] for reading in line["readings"]] == ["One", "Two", "Three"]


def test_a_path_that_cannot_be_read_is_named_and_the_others_get_their_lines(
    cli_alone: Cli, files: dict[str, Path], tmp_path: Path
) -> None:
    missing = tmp_path / "missing.eml"

    answer = cli_alone("parse", "--json", missing, files["parsed"], tmp_path)

    assert answer.status == 1
    assert [line["file"] for line in answer.lines] == [str(files["parsed"])]
    assert answer.err == f"{missing}: No such file or directory\n{tmp_path}: Is a directory\n"


def test_stdout_is_utf8_whatever_the_terminal_speaks(cli_alone: Cli, tmp_path: Path) -> None:
    name = os.fsdecode(b"byte \xff.eml")  # as a name arrives that is no UTF-8
    (tmp_path / name).write_bytes(report_mail("Nächtliche Sicherung 夜"))
    cli_alone.environment["PYTHONIOENCODING"] = "ascii"

    answer = cli_alone("parse", "--json", tmp_path / name)

    assert answer.status == 0
    [line] = answer.lines
    assert (line["file"], line["job_name"]) == (str(tmp_path / name), "Nächtliche Sicherung 夜")


def test_people_get_the_same_facts_as_words(cli_alone: Cli, files: dict[str, Path]) -> None:
    answer = cli_alone("parse", files["parsed"])

    assert answer.status == 0
    assert "job_name  Nightly" in answer.out
    assert "status  failed" in answer.out
