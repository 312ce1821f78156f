"""Altaro's daily report: what the samples don't show."""

from dataclasses import replace

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Parsed, Unreadable, Unrecognised
from shared.domain.status import Status
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.html import plain_text
from shared.parsers.registry import read


def status_of(mail: Mail) -> Status | None:
    match read(mail):
        case Parsed() as parsed:
            return parsed.worst.status
        case Unreadable():
            return Status.UNREADABLE
        case Unrecognised():
            return None
        case other:
            raise AssertionError(other)


def daily(subject: str, *words: str) -> Mail:
    lines = (f"<tr><td><b>VM{n}</b> <i>(id{n})</i></td><td>{word}</td></tr>" for n, word in enumerate(words))
    html = (
        "<html><h2>Email Notification</h2><table><tr><td>Backup</td><td>Offsite</td><td>Replication</td></tr></table>"
        f"<table>{''.join(lines)}</table></html>"
    )
    return Mail(from_address="vm@quay.example", subject=subject, html=html, body=plain_text(html))


@pytest.mark.parametrize("sample", sample_files("altaro"), ids=lambda sample: sample.stem)
def test_cutting_the_page_at_any_line_never_makes_it_greener(sample) -> None:
    mail = mail_from_eml(sample.read_bytes())
    whole, lines = status_of(mail), mail.html.split("\n")

    for kept in range(len(lines)):
        html = "\n".join(lines[:kept])
        cut = status_of(replace(mail, html=html, body=plain_text(html)))
        assert cut is not Status.SUCCESS or whole is Status.SUCCESS, html
        assert cut is not None or "Successful" not in mail.subject


def test_a_count_of_zero_is_no_failure() -> None:
    assert status_of(daily("1 Successful Backup, 0 Failed Backups", "Success")) is Status.SUCCESS
    assert status_of(daily("1 Successful Backup, 10 Failed Backups", "Success")) is Status.FAILED


def test_a_row_that_failed_beats_a_subject_of_success() -> None:
    assert status_of(daily("2 Successful Backups", "Success", "Failed")) is Status.FAILED


def test_fewer_rows_than_counted_are_unreadable() -> None:
    assert status_of(daily("3 Successful Backups", "Success", "Success")) is Status.UNREADABLE


def test_an_unknown_word_is_unreadable_unless_something_failed() -> None:
    assert status_of(daily("2 Successful Backups", "Success", "Dreaming")) is Status.UNREADABLE
    assert status_of(daily("1 Successful Backup", "Failed", "Dreaming")) is Status.FAILED


@pytest.mark.parametrize("subject", ["2 Successful Backups today", "Backup 2 successful", "2 Successful Migrations"])
def test_other_subjects_with_counts_are_not_taken(subject) -> None:
    assert status_of(Mail(from_address="a@quay.example", subject=subject)) is None


def test_a_page_without_any_machine_proves_nothing() -> None:
    assert status_of(daily("Console report")) is Status.UNREADABLE
