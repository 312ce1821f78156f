"""What the samples of Duplicati don't show: cut results, counts, words and subjects of people's own."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Parsed, Unreadable, Unrecognised
from shared.domain.status import Status
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.html import plain_text
from shared.parsers.registry import read

SAMPLES = sample_files("duplicati")
GOOD = "FilesWithError: 0\nPartialBackup: False\nMainOperation: Backup\nParsedResult: Success\nErrors: []\n"


def sample(path: Path) -> Mail:
    return mail_from_eml(path.read_bytes())


def report(body: str = GOOD, subject: str = "Duplicati Backup report for Kantoor") -> Mail:
    return Mail(from_address="d@molen.example", subject=subject, text=body, body=body)


def status(mail: Mail) -> Status:
    outcome = read(mail)
    return outcome.worst.status if isinstance(outcome, Parsed) else Status.UNREADABLE


def cuts(mail: Mail) -> Iterator[Mail]:
    lines = (mail.text or mail.html).split("\n")
    for end in range(len(lines)):
        part = "\n".join(lines[:end])
        yield replace(mail, text=part, body=part) if mail.text else replace(mail, html=part, body=plain_text(part))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_cut_result_is_green_only_with_the_verdict_of_the_whole(path: Path) -> None:
    whole = sample(path).body.strip()
    green = [cut.body for cut in cuts(sample(path)) if status(cut) is Status.SUCCESS and cut.body.strip() != whole]

    # The verdict of the whole comes after those of compacting and testing.
    parts = 2 if "\nTestResults:" in whole else 0
    assert [body for body in green if body.count("ParsedResult: Success") <= parts] == []


# Left out: errors under a verdict of success, which Duplicati itself never writes.
BAD = [
    path for path in SAMPLES if path.stem.partition("-")[0] in ("warning", "failed") and "errors-under" not in path.stem
]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_cut_bad_result_is_never_green(path: Path) -> None:
    assert [cut.body for cut in cuts(sample(path)) if status(cut) is Status.SUCCESS] == []


def test_a_verdict_with_nothing_behind_it_is_unreadable() -> None:
    assert isinstance(read(report(GOOD.partition("Errors")[0])), Unreadable)
    assert isinstance(read(report(GOOD.replace("Errors: []", "Duration: 00:01\nWarnings: []"))), Unreadable)


@pytest.mark.parametrize("word", ["Unknown", "success", "Successful", ""])
def test_an_unknown_verdict_is_unreadable(word: str) -> None:
    outcome = read(report(GOOD.replace("Result: Success", f"Result: {word}")))

    assert isinstance(outcome, Unreadable)
    assert (outcome.job_name, outcome.backup_type) == ("Kantoor", "Backup")


@pytest.mark.parametrize(
    "line, expected",
    [
        ("FilesWithError: 0", Status.SUCCESS),
        ("FilesWithError: 10", Status.WARNING),
        ("Warnings: []", Status.SUCCESS),
        ("Warnings: [\n]", Status.SUCCESS),
        ("Warnings: [\n    one\n]", Status.WARNING),
        ("WarningsActualLength: 0", Status.SUCCESS),
        ("ErrorsActualLength: 0", Status.SUCCESS),
        ("ErrorsActualLength: 10", Status.FAILED),
        ("Errors: [\n    one\n]", Status.FAILED),
        ("Interrupted: True", Status.FAILED),
        ("    ReportedQuotaError: False", Status.SUCCESS),
        ("    ReportedQuotaWarning: True", Status.WARNING),
        ("2026-01-05 21:00:00 +01 - [Retry-Duplicati.Library]: again", Status.SUCCESS),
        ("2026-01-05 21:00:00 +01 - [Warning-Duplicati.Library]: slow", Status.WARNING),
        ("2026-01-05 21:00:00 +01 - [Error-Duplicati.Library]: gone", Status.FAILED),
    ],
)
def test_what_speaks_against_a_success(line: str, expected: Status) -> None:
    assert status(report(GOOD + line + "\n")) is expected


@pytest.mark.parametrize("word", ["Warning", "Error", "Fatal"])
def test_a_bad_verdict_in_the_subject_beats_a_good_body(word: str) -> None:
    assert status(report(subject=f"Duplicati {word}, Backup report for Kantoor")) not in (
        Status.SUCCESS,
        Status.UNREADABLE,
    )


def test_the_verdict_of_a_part_alone_proves_nothing() -> None:
    parts = "MainOperation: Backup\nTestResults:\n    MainOperation: Test\n    ParsedResult: Success\n"

    assert isinstance(read(report(parts)), Unreadable)
    assert isinstance(read(report(parts.replace("    ", ""))), Unreadable)


@pytest.mark.parametrize(
    "subject, name",
    [
        ("Success: backup of the mill", "backup of the mill"),
        ("}Error from backup, machine MOLEN-2", "MOLEN-2"),
        ("Fwd: Duplicati Backup report for Kantoor (oud) ", "Kantoor (oud)"),
    ],
)
def test_the_job_is_named_by_the_subject_without_its_verdict(subject: str, name: str) -> None:
    outcome = read(report(subject=subject))

    assert isinstance(outcome, Parsed)
    assert outcome.worst.job_name == name


def test_a_machine_name_that_people_add_to_the_body_is_the_origin() -> None:
    outcome = read(report(f"machine-name: molen-2\n\n{GOOD}"))

    assert isinstance(outcome, Parsed)
    assert outcome.worst.origin == "molen-2"


@pytest.mark.parametrize("operation", ["Restore", "List", "Compact", "Test"])
def test_other_operations_make_no_run(operation: str) -> None:
    outcome = read(report(GOOD.replace(": Backup", f": {operation}")))

    assert isinstance(outcome, Parsed)
    assert (outcome.worst.kind, outcome.worst.status) == (Kind.EVENT, Status.INFORMATIONAL)


def test_a_failed_restore_is_shown() -> None:
    outcome = read(report("Failed: no such version\n", "Duplicati Restore report for Kantoor"))

    assert isinstance(outcome, Parsed)
    assert (outcome.worst.kind, outcome.worst.status) == (Kind.INFORMATIONAL, Status.FAILED)


@pytest.mark.parametrize("body", ["{", "[]", '{"Data": 3}', '{"Data": {"ParsedResult": null}}', "{" + '"a":[' * 9_000])
def test_odd_json_is_unreadable(body: str) -> None:
    assert isinstance(read(report(body)), Unreadable)


def test_huge_json_ends_soon() -> None:
    parts = {f"P{number}": {"ParsedResult": "Success"} for number in range(40_000)}
    body = json.dumps({"Data": {"MainOperation": "Backup", **parts, "ParsedResult": "Success"}})

    assert status(report(body)) is Status.SUCCESS


def test_another_programs_report_is_not_claimed() -> None:
    assert isinstance(read(report("Failed: disk full\n", "Backup report for Kantoor")), Unrecognised)
