"""Backup Exec alerts: what the samples don't show."""

from dataclasses import replace

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Parsed, Unreadable
from shared.domain.status import Status
from shared.parsers.backup_exec.alert import read_subject
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.registry import read

GREEN = (Status.SUCCESS, Status.INFORMATIONAL)


def alert(category: str, body: str) -> Mail:
    subject = f'Backup Exec Alert: {category} (Server: "BEX9") (Job: "Nightly")'
    return Mail(from_address="bexec@wharf.example", subject=subject, body=body, text=body)


def status_of(mail: Mail) -> Status:
    match read(mail):
        case Parsed() as parsed:
            return parsed.worst.status
        case Unreadable():
            return Status.UNREADABLE
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize("sample", sample_files("backup_exec"), ids=lambda sample: sample.stem)
def test_cutting_the_body_at_any_line_never_makes_it_greener(sample) -> None:
    mail = mail_from_eml(sample.read_bytes())
    whole = status_of(mail)
    lines = mail.body.split("\n")

    for kept in range(len(lines)):
        body = "\n".join(lines[:kept])
        cut = status_of(replace(mail, body=body, text=body))
        assert cut not in GREEN or cut is whole, body
        assert cut is not Status.SUCCESS or "successful" in body.casefold()


def test_the_sentence_about_exceptions_cut_short_proves_no_success() -> None:
    sentence = "Nightly -- The job completed successfully.  However, the following conditions were encountered: 2 files"
    for length in range(sentence.index("However") + 1, len(sentence)):
        assert status_of(alert("Job Success", sentence[:length])) is not Status.SUCCESS


def test_a_sentence_wrapped_by_a_mail_server_is_read() -> None:
    assert status_of(alert("Job Success", "Nightly -- The job\ncompleted\nsuccessfully.\n")) is Status.SUCCESS


@pytest.mark.parametrize("word", ["Failed", "Canceled", "Missed", "Recovered", "Resumed", "Failed over"])
def test_a_job_that_did_not_complete_failed(word) -> None:
    assert status_of(alert("Job Completed", f"Job Completion Status: {word}")) is Status.FAILED


def test_an_unknown_completion_status_is_unreadable() -> None:
    assert status_of(alert("Job Completed", "Job Completion Status: Pondering")) is Status.UNREADABLE
    assert status_of(alert("Job Success", "Job Completion Status: Pondering")) is Status.UNREADABLE


def test_a_failed_subject_stays_failed_beside_an_unknown_completion_status() -> None:
    assert status_of(alert("Job Failed", "Job Completion Status: Pondering")) is Status.FAILED


def test_the_worse_of_subject_and_body_wins() -> None:
    assert status_of(alert("Job Failed", "Completed Successfully.")) is Status.FAILED
    assert status_of(alert("Job Success", "Nightly -- The job failed with the following error: disk")) is Status.FAILED


def test_a_job_name_may_hold_quotes_and_brackets() -> None:
    found = read_subject('RE: Backup Exec Alert: Job Failed (Server: "S") (Job: "All ("x") and more")')

    assert (found.category, found.server, found.job) == ("Job Failed", "S", 'All ("x") and more')


def test_a_subject_without_brackets_still_gives_its_category() -> None:
    assert status_of(Mail(from_address="a@b.example", subject="Backup Exec Alert: Job Failed")) is Status.FAILED
