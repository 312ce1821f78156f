"""Bacula and Bareos reports: what the samples don't show."""

from dataclasses import replace

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Parsed, Unreadable
from shared.domain.status import Status
from shared.parsers.bacula.job_report import job_of
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.registry import read

REPORT = """\
01-Jun 02:00 dir JobId 5: {message}
  Build OS:               x86_64-pc-linux-gnu
  JobId:                  5
  Job:                    nightly.2026-06-01_02.00.00_04
  Backup Level:           Full
  Client:                 "box-fd" 13.0.3
  Non-fatal FD errors:    {errors}
  SD Errors:              0
  FD termination status:  {daemon}
  Termination:            {ending}
"""


def report(
    ending: str = "Backup OK", *, errors: str = "0", daemon: str = "OK", message: str = "-", subject: str = ""
) -> Mail:
    body = REPORT.format(ending=ending, errors=errors, daemon=daemon, message=message)
    return Mail(from_address="bacula@quay.example", subject=subject or "nightly", body=body, text=body)


def status_of(mail: Mail) -> Status:
    match read(mail):
        case Parsed() as parsed:
            return parsed.worst.status
        case Unreadable():
            return Status.UNREADABLE
        case other:
            raise AssertionError(other)


# Without the default subject a report that lost its head is nobody's mail.
BY_SUBJECT = [sample for sample in sample_files("bacula") if b" of " in sample.read_bytes().split(b"Date:")[0]]


@pytest.mark.parametrize("sample", BY_SUBJECT, ids=lambda sample: sample.stem)
def test_a_report_cut_before_its_termination_never_proves_success(sample) -> None:
    mail = mail_from_eml(sample.read_bytes())
    whole, lines = status_of(mail), mail.body.split("\n")

    for kept in range(len(lines)):
        body = "\n".join(lines[:kept])
        cut = status_of(replace(mail, body=body, text=body))
        if cut in (Status.SUCCESS, Status.INFORMATIONAL):
            assert cut is whole, body
            assert "Termination:" in body


@pytest.mark.parametrize(
    "ending, status",
    [
        ("Backup OK", Status.SUCCESS),
        ("Copying OK", Status.SUCCESS),
        ("Backup OK -- with warnings", Status.WARNING),
        ("Restore OK -- warning file count mismatch", Status.WARNING),
        ("*** Backup Error ***", Status.FAILED),
        ("*** Verify Error ***", Status.FAILED),
        ("Backup Canceled", Status.FAILED),
        ("Backup failed -- incomplete", Status.FAILED),
        ("Admin OK", Status.INFORMATIONAL),
    ],
)
def test_the_termination_decides(ending, status) -> None:
    assert status_of(report(ending)) is status


@pytest.mark.parametrize("ending", ["Backup Pending", "Inappropriate term code: x", "OKAY", "Backup"])
def test_an_unknown_termination_is_unreadable(ending) -> None:
    assert status_of(report(ending)) is Status.UNREADABLE


def test_error_counters_count_unless_they_are_zero() -> None:
    assert status_of(report(errors="0")) is Status.SUCCESS
    assert status_of(report(errors="10")) is Status.WARNING
    assert status_of(report(errors="1,000")) is Status.WARNING


def test_a_daemon_that_ended_in_error_beats_a_termination_of_ok() -> None:
    assert status_of(report(daemon="Error")) is Status.FAILED


def test_a_message_of_level_error_makes_ok_a_warning() -> None:
    assert status_of(report(message="Error: Read error on file /x")) is Status.WARNING
    assert status_of(report(message="0 errors so far")) is Status.SUCCESS


def test_the_worse_of_subject_and_report_wins() -> None:
    assert status_of(report(subject="Bacula: Backup Fatal Error of box-fd Full")) is Status.FAILED
    assert status_of(report("*** Backup Error ***", subject="Bacula: Backup OK of box-fd Full")) is Status.FAILED


def test_the_worst_of_several_reports_wins() -> None:
    body = report("*** Backup Error ***").body + report().body

    assert status_of(Mail(from_address="a@quay.example", subject="x", body=body, text=body)) is Status.FAILED


def test_an_unknown_ending_in_the_subject_is_unreadable() -> None:
    assert status_of(report(subject="Bacula: Backup Unknown term code of box-fd Full")) is Status.UNREADABLE


def test_a_report_whose_indentation_was_lost_is_read() -> None:
    mail = report()
    body = "\n".join(line.strip() for line in mail.body.split("\n"))

    assert status_of(replace(mail, body=body, text=body)) is Status.SUCCESS


def test_the_session_is_the_job_with_its_moment() -> None:
    assert job_of("a.b c.2026-06-01_02.00.00_04") == "a.b c"
    assert job_of("old.2011-03-29_21.19.43.13") == "old"
    assert job_of("no moment") == "no moment"
