"""Rules of Synology's mails that single samples don't show."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Parsed, Unreadable
from shared.domain.status import Status, badness
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.registry import claims, read
from shared.parsers.synology._task_sentence import RESULTS, task_sentence

SAMPLES = sample_files("synology")
GREEN = (Status.SUCCESS, Status.INFORMATIONAL)


def notice(subject: str, body: str) -> Mail:
    return Mail(from_address="nas@a.example", subject=subject, text=body, body=body)


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


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_cutting_the_body_at_a_line_never_makes_a_mail_greener(sample: Path) -> None:
    mail = mail_from_eml(sample.read_bytes())
    whole = badness(status_of(mail) or Status.UNREADABLE)
    lines = mail.body.split("\n")

    cuts = [status_of(replace(mail, text=cut, body=cut)) for cut in ("\n".join(lines[:n]) for n in range(len(lines)))]

    greener = {cut for cut in cuts if cut and badness(cut) < whole}
    assert not greener


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_success_without_its_body_is_unreadable(sample: Path) -> None:
    mail = mail_from_eml(sample.read_bytes())

    assert status_of(replace(mail, text="", html="", body="")) is not Status.SUCCESS


@pytest.mark.parametrize(
    "result",
    ["has been completed with warnings", "was almost completed", "has not been completed", "completed 2 of 3 devices"],
)
def test_an_unknown_result_in_either_place_is_unreadable(result: str) -> None:
    known = "backup task Nightly on NAS7 has been completed"
    unknown = f"backup task Nightly on NAS7 {result}"
    lead = "Active Backup for Business - "

    assert isinstance(read(notice(lead + unknown, f"The {known}.\n")), Unreadable)
    assert isinstance(read(notice(lead + known, f"The {unknown}.\n")), Unreadable)


def test_the_worst_sentence_of_a_body_decides() -> None:
    body = "The backup task A on NAS7 has been completed.\nThe backup task A on NAS7 has failed.\n"

    assert status_of(notice("Active Backup for Business - backup task A on NAS7", body)) is Status.FAILED


def test_a_subject_may_name_the_task_without_its_result() -> None:
    mail = notice("Active Backup for Business - backup task A on NAS7", "The backup task A on NAS7 has been completed.")

    assert status_of(mail) is Status.SUCCESS


@pytest.mark.parametrize("result", ["was not successful", "was successful with errors", "was skipped", "succeeded"])
def test_an_unknown_result_of_hyper_backup_is_unreadable(result: str) -> None:
    body = f"Your backup task {result} on NAS7.\n\nBackup Task: Weekly\n\nFrom NAS7\n"

    outcome = read(notice("Data backup task on NAS7 was successful", body))

    assert isinstance(outcome, Unreadable)
    assert (outcome.job_name, outcome.origin) == ("Weekly", "NAS7")


def test_a_hyper_backup_task_may_be_called_like_another_product() -> None:
    body = "Your backup task was successful on NAS7.\n\nBackup Task: Active Backup for Business copy\n\nFrom NAS7\n"

    mail = notice("Data backup task on NAS7 was successful", body)

    assert [parser.name for parser in claims(mail)] == ["synology.hyper_backup"]


@pytest.mark.parametrize("line", ["Active Backup for Business - 2.7.1", "Active Backup for Microsoft 365 - 2.5.0"])
def test_a_package_on_a_line_of_its_own_is_no_report_of_a_backup(line: str) -> None:
    mail = notice("[NAS7] Packages on NAS7 are out-of-date", f"{line}\nHyper Backup - 4.1\n\nFrom NAS7\n")

    assert [parser.name for parser in claims(mail)] == ["synology.updates"]


@pytest.mark.parametrize(
    "sentence, status",
    [
        ("The automatic DSM update on NAS7 is scheduled; open Control Panel to cancel it", Status.INFORMATIONAL),
        ("The automatic DSM update on NAS7 was cancelled", Status.WARNING),
        ("The automatic DSM update on NAS7 failed", Status.FAILED),
        ("De automatische DSM-update op NAS7 is mislukt", Status.FAILED),
        ("The automatic DSM update on NAS7 is pondered", None),
    ],
)
def test_the_fate_of_an_update_decides(sentence: str, status: Status | None) -> None:
    assert status_of(notice("[NAS7] Automatic DSM update on NAS7", f"{sentence}.\n\nFrom NAS7\n")) is status


def test_three_update_notices_are_one_job_of_a_nas() -> None:
    bodies = (
        "The automatic DSM update on NAS7 was cancelled.",
        "Packages on NAS7 are out-of-date: Hyper Backup.",
        "The automatic DSM update on NAS7 is planned. Packages on NAS7 are out-of-date.",
    )

    outcomes = [read(notice("Update notice", f"{body}\n\nFrom NAS7\n")) for body in bodies]

    jobs = {
        (each.worst.backup_type, each.worst.job_name, each.worst.origin)
        for each in outcomes
        if isinstance(each, Parsed)
    }
    assert jobs == {("Updates", "Synology Automatic Update", "NAS7")}


def test_what_any_storage_says_is_claimed_only_in_the_frame_of_a_synology() -> None:
    subject = "Pool tank on backup-host is degraded"

    assert claims(notice(subject, "state: ONLINE, one device is missing")) == []
    assert status_of(notice(subject, "Pool tank is degraded.\n\nFrom backup-host\n")) is Status.WARNING


@pytest.mark.parametrize(
    "found, status",
    [("No errors were found.", Status.INFORMATIONAL), ("3 inconsistent stripes were found.", Status.WARNING)],
)
def test_a_finished_check_is_as_good_as_what_it_found(found: str, status: Status) -> None:
    mail = notice("Consistency check finished on NAS7", f"Consistency check finished on NAS7. {found}\n\nFrom NAS7\n")

    assert status_of(mail) is status


@pytest.mark.parametrize("prefix", ["Fwd: ", "RE: FW: ", "WG: "])
def test_a_forwarded_subject_still_names_the_nas(prefix: str) -> None:
    outcome = read(notice(f"{prefix}[NAS7] Test Message from NAS7", ""))

    assert isinstance(outcome, Parsed)
    assert outcome.worst.origin == "NAS7"


@pytest.mark.parametrize(
    "lead", ["", "Synology C2 cloud backup - ", "backup task ", "Your backup task ", "Data backup task on "]
)
def test_a_line_of_megabytes_is_settled_at_once(lead: str) -> None:
    line = lead + "a on b " * 250_000

    assert status_of(notice(f"[NAS7] {lead}x", f"{line}\nFrom NAS7\n")) is not Status.SUCCESS
