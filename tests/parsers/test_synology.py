"""Rules of Synology's and QNAP's mails that single samples don't show."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Parsed, Unreadable
from shared.domain.status import Status
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.registry import read
from shared.parsers.synology._task_sentence import RESULTS, task_sentence

SAMPLES = [*sample_files("synology"), *sample_files("qnap")]
GREEN = (Status.SUCCESS, Status.INFORMATIONAL)


def status_of(mail: Mail) -> Status | None:
    outcome = read(mail)
    return outcome.worst.status if isinstance(outcome, Parsed) else None


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_cutting_the_body_never_makes_a_bad_mail_green(sample: Path) -> None:
    mail = mail_from_eml(sample.read_bytes())
    whole = status_of(mail)
    if whole in GREEN:
        return

    cuts = [replace(mail, text=mail.text[:end], body=mail.body[:end]) for end in range(0, len(mail.body), 7)]

    assert [cut.body for cut in cuts if status_of(cut) is Status.SUCCESS] == []


def test_a_success_needs_its_sentence_in_the_body() -> None:
    subject = "Active Backup for Business - backup task Nightly on NAS7 has been completed"
    bare = Mail(from_address="nas@a.example", subject=subject)
    told = replace(
        bare,
        text="The backup task Nightly on NAS7 has been completed.",
        body=("The backup task Nightly on NAS7 has been completed."),
    )

    assert isinstance(read(bare), Unreadable)
    assert status_of(told) is Status.SUCCESS


@pytest.mark.parametrize("words", sorted(RESULTS))
def test_words_between_the_nas_and_the_result_are_not_understood(words: str) -> None:
    sentence = task_sentence(f"backup task Nightly on NAS7 not {words}")

    assert sentence is not None
    assert sentence.status is not Status.SUCCESS


def test_a_task_may_be_called_like_a_sentence() -> None:
    sentence = task_sentence("backup task Copy on site on NAS7 has failed")

    assert sentence is not None
    assert (sentence.task, sentence.nas, sentence.status) == ("Copy on site", "NAS7", Status.FAILED)


def test_a_list_of_old_packages_is_no_report_of_a_backup() -> None:
    text = "Packages on NAS7 are out-of-date: Active Backup for Business, Hyper Backup."
    mail = Mail(from_address="nas@a.example", subject="[NAS7] Packages on NAS7 are out-of-date", text=text, body=text)

    outcome = read(mail)

    assert isinstance(outcome, Parsed)
    assert outcome.parser == "synology.updates"


def test_an_unknown_severity_is_unreadable() -> None:
    text = 'NAS Name: Q7\nSeverity: Purple\nMessage: [Hybrid Backup Sync] Finished Backup job: "Daily".\n'
    subject = "[Info] [Hybrid Backup Sync] Notification from your device: Q7"

    assert isinstance(read(Mail(from_address="q@a.example", subject=subject, text=text, body=text)), Unreadable)
