"""Rules of QNAP's notifications that single samples don't show."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Parsed, Unreadable
from shared.domain.status import Status, badness
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.registry import read

SAMPLES = sample_files("qnap")


def notice(message: str, *, app: str = "Hybrid Backup Sync", severity: str = "Info", written: str = "") -> Mail:
    body = f"NAS Name: Q7\nSeverity: {written or severity}\nApp Name: {app}\nMessage: [{app}] {message}\n"
    subject = f"[{severity}] [{app}] Notification from your device: Q7"
    return Mail(from_address="q@a.example", subject=subject, text=body, body=body)


def parsed(mail: Mail) -> Parsed:
    outcome = read(mail)
    assert isinstance(outcome, Parsed)
    return outcome


def verdict(mail: Mail) -> Status:
    outcome = read(mail)
    return outcome.worst.status if isinstance(outcome, Parsed) else Status.UNREADABLE


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_cutting_the_body_at_a_line_never_makes_a_mail_greener(sample: Path) -> None:
    mail = mail_from_eml(sample.read_bytes())
    lines = mail.body.split("\n")
    whole = verdict(mail)

    cuts = ["\n".join(lines[:end]) for end in range(len(lines))]
    verdicts = {verdict(replace(mail, html="", text=cut, body=cut)) for cut in cuts}

    assert {each for each in verdicts - {Status.UNREADABLE} if badness(each) < badness(whole)} == set()


def test_a_success_needs_its_message() -> None:
    mail = notice('Finished Backup job: "Daily".')
    before = mail.body[: mail.body.index("Message:")]

    assert parsed(mail).worst.status is Status.SUCCESS
    assert isinstance(read(replace(mail, text=before, body=before)), Unreadable)


@pytest.mark.parametrize(
    "message",
    [
        'Finished Backup job: "Daily" with errors in "folder".',
        'Finished Backup job: "Daily". 3 files could not be copied.',
        'Finished Backup job: "Daily"\nwith errors',
        "Finished Backup job 'Daily' with 10 errors",
        'Completed Sync job: "Daily", 2 files were skipped.',
        'Finished Backup job: "Daily". The last file couldn\'t be read.',
    ],
)
def test_trouble_behind_the_name_of_a_finished_job_is_a_warning(message: str) -> None:
    reading = parsed(notice(message)).worst

    assert (reading.job_name, reading.status) == ("Daily", Status.WARNING)


@pytest.mark.parametrize("rest", [" with 0 errors", ". No errors, 0 warnings."])
def test_counts_of_zero_are_no_trouble(rest: str) -> None:
    assert parsed(notice(f'Finished Backup job: "Daily"{rest}')).worst.status is Status.SUCCESS


@pytest.mark.parametrize("name", ["No errors please", "Failed over", "Bob's PC", "a, 'b' & c"])
def test_a_job_may_have_any_name(name: str) -> None:
    reading = parsed(notice(f'Finished Backup job: "{name}".')).worst

    assert (reading.job_name, reading.status) == (name, Status.SUCCESS)


@pytest.mark.parametrize(
    "act", ["Failed to complete", "Failed to start", "Stopped", "Canceled", "Cancelled", "Skipped"]
)
def test_a_job_that_was_not_completed_failed_whatever_the_severity(act: str) -> None:
    assert parsed(notice(f'{act} Backup job: "Daily".')).worst.status is Status.FAILED


@pytest.mark.parametrize("severity, written", [("Info", "Error"), ("Error", "Info")])
def test_the_worse_of_two_severities_wins(severity: str, written: str) -> None:
    mail = notice('Finished Backup job: "Daily".', severity=severity, written=written)

    assert parsed(mail).worst.status is Status.FAILED


@pytest.mark.parametrize("message", ['Polished Backup job: "Daily".', "Everything went well.", ""])
def test_an_unknown_message_of_a_job_is_unreadable(message: str) -> None:
    assert isinstance(read(notice(message)), Unreadable)


def test_an_unknown_severity_is_unreadable() -> None:
    outcome = read(notice('Finished Backup job: "Daily".', written="Purple"))

    assert isinstance(outcome, Unreadable)
    assert outcome.origin == "Q7"


def test_a_warning_alone_proves_nothing_of_a_job_since_stopped_ones_come_with_it() -> None:
    mail = notice('Stopped Backup job: "Daily".', severity="Warning")

    assert verdict(mail) is Status.FAILED
    assert verdict(replace(mail, text="", body="")) is Status.UNREADABLE


@pytest.mark.parametrize("act", ["Started", "Paused"])
def test_a_start_is_an_event_and_no_result(act: str) -> None:
    assert parsed(notice(f'{act} Backup job: "Daily".')).worst.kind is Kind.EVENT


def test_a_failure_of_another_app_is_no_good_news_though_its_severity_is_info() -> None:
    assert parsed(notice("Failed to update Notes Station.", app="App Center")).worst.status is Status.WARNING
    assert parsed(notice("Stopped Notes Station.", app="App Center")).worst.status is Status.INFORMATIONAL


def test_the_subject_alone_proves_no_job_but_is_all_that_an_app_may_say() -> None:
    def alone(app: str) -> Status:
        return verdict(replace(notice("", app=app), text="", body=""))

    assert alone("Hybrid Backup Sync") is Status.UNREADABLE
    assert alone("Power") is Status.INFORMATIONAL


def test_a_message_of_megabytes_is_read_at_once() -> None:
    reading = parsed(notice('Finished Backup job: "Daily". ' + "no 'x\" " * 250_000 + "fail")).worst

    assert reading.status is Status.WARNING
