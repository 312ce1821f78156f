"""burp's notifications: what the samples don't show."""

from dataclasses import replace

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Parsed, Unreadable
from shared.domain.status import Status
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.registry import read

DONE = "2026-07-01 02:00:00 +0200: burp[9] Backup completed."


def notice(subject: str, body: str = DONE) -> Mail:
    return Mail(from_address="burp@quay.example", subject=subject, body=body, text=body)


def status_of(mail: Mail) -> Status:
    match read(mail):
        case Parsed() as parsed:
            return parsed.worst.status
        case Unreadable():
            return Status.UNREADABLE
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize("sample", sample_files("burp"), ids=lambda sample: sample.stem)
def test_cutting_the_log_at_any_line_never_makes_a_backup_greener(sample) -> None:
    mail = mail_from_eml(sample.read_bytes())
    whole, lines = status_of(mail), mail.body.split("\n")

    for kept in range(len(lines)):
        body = "\n".join(lines[:kept])
        cut = status_of(replace(mail, body=body, text=body))
        if cut is Status.SUCCESS:
            assert whole is Status.SUCCESS
            assert "Backup completed." in body or mail.subject.startswith("restore")


def test_zero_warnings_are_none() -> None:
    assert status_of(notice("backup succeeded: c (0 warnings)")) is Status.SUCCESS
    assert status_of(notice("backup succeeded: c (10 warnings)")) is Status.WARNING


def test_a_failure_in_the_log_beats_the_subject() -> None:
    assert status_of(notice("backup succeeded: c", f"{DONE}\nburp[9] Backup failed")) is Status.FAILED
    assert status_of(notice("backup succeeded with warnings: c", "error in get_lock_sdirs()")) is Status.FAILED


def test_an_unknown_result_is_unreadable() -> None:
    assert status_of(notice("backup succeeded perhaps: c")) is Status.UNREADABLE


def test_a_failed_restore_is_an_event() -> None:
    outcome = read(notice("restore failed: c", "burp[1]: cannot write"))

    assert isinstance(outcome, Parsed)
    assert (outcome.worst.kind, outcome.worst.status) == (Kind.EVENT, Status.FAILED)
