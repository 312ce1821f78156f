"""Macrium's mails: what the samples don't show."""

from dataclasses import replace

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Parsed, Unreadable
from shared.domain.status import Status
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.registry import read


def status_of(mail: Mail) -> Status:
    match read(mail):
        case Parsed() as parsed:
            return parsed.worst.status
        case Unreadable():
            return Status.UNREADABLE
        case other:
            raise AssertionError(other)


def reflect(result: str, body: str) -> Mail:
    return Mail(from_address="pc@quay.example", subject=f"PC1 Macrium Reflect - {result}", body=body, text=body)


def site_manager(body: str) -> Mail:
    return Mail(from_address="sm@quay.example", subject="Site Manager Notification Email", body=body, text=body)


@pytest.mark.parametrize("sample", sample_files("macrium"), ids=lambda sample: sample.stem)
def test_cutting_the_body_at_any_line_never_makes_it_greener(sample) -> None:
    mail = mail_from_eml(sample.read_bytes())
    if "Success" in mail.subject and "aborted" in mail.body:
        return  # its log is what contradicts the smiley above: nothing tells that it was cut off
    whole, lines = status_of(mail), mail.body.split("\n")

    for kept in range(len(lines)):
        body = "\n".join(lines[:kept])
        cut = status_of(replace(mail, body=body, text=body, html=""))
        assert cut not in (Status.SUCCESS, Status.INFORMATIONAL) or cut is whole, body


def test_the_worse_of_subject_and_body_wins() -> None:
    assert status_of(reflect("Backup Success", "Failed :(")) is Status.FAILED
    assert status_of(reflect("Backup Failed", "Success :)")) is Status.FAILED
    assert status_of(reflect("Backup with Warnings", "Success :)")) is Status.WARNING


def test_a_failure_count_matters_unless_it_is_zero() -> None:
    assert status_of(reflect("Backup Success", "Success :)\nFailure count: 0")) is Status.SUCCESS
    assert status_of(reflect("Backup Success", "Success :)\nFailure count: 10")) is Status.FAILED


def test_an_unknown_result_is_unreadable() -> None:
    assert status_of(reflect("Backup Asleep", "Success :)")) is Status.UNREADABLE
    assert status_of(reflect("Backup Success", "Asleep :|")) is Status.UNREADABLE


def test_unsuccessful_is_not_successful() -> None:
    assert status_of(reflect("Backup Success", "Unsuccessful :)")) is Status.UNREADABLE


@pytest.mark.parametrize(
    "body, status, kind",
    [
        ("Backup Failed Computer: PC1", Status.FAILED, Kind.REGULAR),
        ("Intra-daily Backup Successful\nComputer: PC1", Status.SUCCESS, Kind.REGULAR),
        ("Restore Failed PC1", Status.FAILED, Kind.EVENT),
        ("Update Found 8.1.7784", Status.INFORMATIONAL, Kind.INFORMATIONAL),
        ("Remote Synchronization Failed x", Status.FAILED, Kind.REGULAR),
    ],
)
def test_site_managers_event_decides(body, status, kind) -> None:
    outcome = read(site_manager(body))

    assert isinstance(outcome, Parsed)
    assert (outcome.worst.status, outcome.worst.kind) == (status, kind)


def test_an_event_outside_the_list_is_unreadable() -> None:
    assert status_of(site_manager("Backup Postponed Computer: PC1")) is Status.UNREADABLE
    assert status_of(site_manager("")) is Status.UNREADABLE
