"""What the samples of Kopia don't show: cut reports, counts, words and markup that differ."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Parsed, Unreadable, Unrecognised
from shared.domain.status import Status
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.html import plain_text
from shared.parsers.registry import read

SAMPLES = sample_files("kopia")
END = "Generated at Mon, 05 Jan 2026 21:00:00 +0000 by Kopia v0.21.1.\n"


def sample(path: Path) -> Mail:
    return mail_from_eml(path.read_bytes())


def report(subject: str, *blocks: str) -> Mail:
    text = "\n".join((*blocks, END))
    return Mail(from_address="k@molen.example", subject=subject, text=text, body=text)


def block(path: str, word: str = "success", more: str = "") -> str:
    return f"Path: {path}\n\n  Status:      {word}\n  Size:        1 GB\n{more}"


def status(mail: Mail) -> Status:
    outcome = read(mail)
    return outcome.worst.status if isinstance(outcome, Parsed) else Status.UNREADABLE


def cuts(mail: Mail) -> Iterator[Mail]:
    lines = (mail.text or mail.html).split("\n")
    for end in range(len(lines)):
        part = "\n".join(lines[:end])
        yield replace(mail, text=part, body=part) if mail.text else replace(mail, html=part, body=plain_text(part))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_cut_report_is_green_only_when_the_whole_is_and_its_end_has_arrived(path: Path) -> None:
    whole = sample(path)
    green = [cut for cut in cuts(whole) if status(cut) is Status.SUCCESS]

    assert green == [] or status(whole) is Status.SUCCESS
    assert [cut.body for cut in green if "Generated at" not in cut.body] == []


def test_three_promised_and_two_listed_is_unreadable() -> None:
    assert isinstance(read(report("Successfully created 3 snapshots on molen", block("/a"), block("/b"))), Unreadable)


@pytest.mark.parametrize("word", ["Success!", "ok", "", "warning"])
def test_an_unknown_status_word_is_unreadable(word: str) -> None:
    outcome = read(report("Successfully created a snapshot of /a on molen", block("/a", word)))

    assert isinstance(outcome, Unreadable)
    assert outcome.job_name == outcome.origin == "molen"


@pytest.mark.parametrize(
    "word, more, expected",
    [
        ("success", "", Status.SUCCESS),
        ("warnings", "", Status.WARNING),
        ("success", "\n  Failed Entries:\n\n  - a/b: busy\n", Status.WARNING),
        ("success", "  Error:       broken\n", Status.FAILED),
        ("incomplete", "", Status.FAILED),
        ("fatal", "", Status.FAILED),
    ],
)
def test_the_worst_source_decides_whatever_the_subject_says(word: str, more: str, expected: Status) -> None:
    mail = report("Successfully created 2 snapshots on molen", block("/a"), block("/b", word, more))

    assert status(mail) is expected


def test_a_failed_subject_above_good_sources_is_failed() -> None:
    assert status(report("Failed to create 1 of 2 snapshots on molen", block("/a"), block("/b"))) is Status.FAILED


def test_the_subject_of_older_versions_says_nothing_so_the_body_decides() -> None:
    good = report("Kopia created 1 snapshot on molen", block("/a"))

    assert status(good) is Status.SUCCESS
    assert status(replace(good, text="", body="")) is Status.UNREADABLE


def test_a_path_with_the_word_on_in_it_keeps_the_host_right() -> None:
    outcome = read(report("RE: Successfully created a snapshot of /data on tape on molen ", block("/data on tape")))

    assert isinstance(outcome, Parsed)
    assert outcome.worst.job_name == "molen"


def test_another_products_snapshot_is_not_claimed() -> None:
    assert isinstance(read(report("Successfully created snapshot nightly on volume1", "")), Unrecognised)


def test_a_huge_report_ends_soon() -> None:
    mail = report("Successfully created 2 snapshots on molen", *(block(f"/p{number}") for number in range(30_000)))

    assert status(mail) is Status.SUCCESS
