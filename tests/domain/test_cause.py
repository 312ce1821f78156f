"""Two errors have one cause when they differ in nothing but what is another one each night."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.cause import LONGEST, cause_of, in_common, says_something, telling
from shared.domain.overrides import Problem
from shared.domain.status import Status

FAILED, WARNING = Status.FAILED, Status.WARNING
TEXTS = some.text(alphabet=some.characters(codec="utf-8"), max_size=400) | some.text(
    alphabet="ab1290 #.:,/\\-_'\"()%éßİﬁΐ０…", max_size=40
)
VARYING = some.one_of(
    some.integers(0, 10**12).map(str),
    some.floats(0, 10**6).map("{:,.2f} GB".format),
    some.integers(1, 59).map("{} minutes".format),
    some.datetimes().map("{:%d-%m-%Y %H:%M:%S}".format),
    some.datetimes().map("{:%Y-%m-%dT%H:%M}Z".format),
    some.dates().map(lambda day: f"{day:%B} {day.day}, 20{day.year % 100:02}"),
    some.dates().map(lambda day: f"Monday, {day.day} märz 20{day.year % 100:02}"),
    some.uuids().map(str),
    some.ip_addresses().map(str),
    some.from_regex(r"[A-Z]{2,8}-[A-Z]{2,8}-[0-9]{1,3}", fullmatch=True),
    some.from_regex(r"[a-z]{2,8}[0-9]{1,3}\.acme\.example", fullmatch=True),
    some.from_regex(r"[C-Z]:\\[a-z]{1,8}\\[a-z]{1,8}\.vbk", fullmatch=True),
    some.from_regex(r"\\\\[a-z]{1,8}\\[a-z]{1,8}\$?", fullmatch=True),
    some.from_regex(r"/srv/[a-z]{1,8}(/[a-z0-9]{1,8}){0,3}", fullmatch=True),
    some.from_regex(r'"[a-z]{1,12}"', fullmatch=True),
    some.emails(domains=some.just("acme.example")).map(
        lambda address: "a" + address.rpartition("@")[0][:1] + "1@x.example"
    ),
)
SENTENCES = ("No space left on {} for the backup", "Zu wenig Platz auf {}, abgebrochen", "Échec de la tâche ({})")


@given(TEXTS, some.lists(some.text(alphabet="ab #1.", min_size=1, max_size=5), max_size=2))
def test_a_cause_is_its_own_cause(text: str, names: list[str]) -> None:
    cause = cause_of(text, names=tuple(names))

    assert cause_of(cause, names=tuple(names)) == cause
    assert cause_of(cause) == cause
    assert len(cause) <= LONGEST


@given(some.sampled_from(SENTENCES), VARYING, VARYING)
def test_what_varies_makes_no_other_cause(sentence: str, one: str, other: str) -> None:
    assert cause_of(sentence.format(one)) == cause_of(sentence.format(other))


@given(some.sampled_from(SENTENCES), VARYING)
def test_letter_case_and_spaces_make_no_other_cause(sentence: str, one: str) -> None:
    said = sentence.format(one)

    assert cause_of(said) == cause_of(said.upper()) == cause_of(f"  {said} ".replace(" ", "\u00a0\n"))


@pytest.mark.parametrize(
    "one, other",
    [
        ("Disk full on SQL01 (2 of 14)", "Disk full on SQL02 (1 of 3)"),
        ("Disk full on SQL01", "Disk full on SQL02 (3 of 9)"),
        ("sql01.acme.example:9392 refused it", "10.0.0.7:9392 refused it"),
        ("Only 6.1 GB left on /srv/vbk", "Only 912 MB left on /mnt/backup/daily"),
        ("Failed on Mon Mar 22 01:15:00 2026", "Failed on Tue Apr 7 23:59:59 2026"),
        ("gestopt op 22 maart 2026 01:15", "gestopt op 3 april 2026 23:59"),
        ("22-May 01:04 No tape", "23-Jun 11:04 No tape"),
        ("took 1 h 12 min", "took 58 s"),
        ("エラー 5 件 C:\\a", "エラー 12 件 D:\\b\\c"),
        ("ﬁle locked: Ｃ:\\ｘ", "File  locked: d:\\y"),
    ],
)
def test_these_are_one_cause(one: str, other: str) -> None:
    assert cause_of(one) == cause_of(other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("There is not enough space on the disk", "Access is denied"),
        ("Zugriff verweigert", "Access is denied"),
        ("Unable to read, error code 23", "Unable to read, error code 5"),
        ("Failed (os error 5)", "Failed (os error 111)"),
        ("VSS failed: 0x8004231f", "VSS failed: 0x80042306"),
        ("System.IO.IOException", "System.OutOfMemoryException"),
        ("No space on the disk", "No space on the share"),
    ],
)
def test_these_are_two_causes(one: str, other: str) -> None:
    assert cause_of(one) != cause_of(other)


@pytest.mark.parametrize("text", ["1" * 200_000, "# " * 100_000, "a-" * 100_000, "0x" * 100_000, "a/" * 100_000])
def test_any_text_has_a_short_cause(text: str) -> None:
    assert len(cause_of(text)) <= LONGEST


def test_names_of_what_it_is_about_go_wherever_they_stand_as_words() -> None:
    names = ("HARBOR-DB", "Data", "VM")

    assert cause_of("Harbor-DB: no space for HARBOR-DB", names=names) == "#: no space for #"
    assert cause_of("database of data is full", names=names) == "database of # is full"
    assert cause_of("no VM left", names=names) == "no vm left"


def test_people_read_what_errors_share_in_its_own_letters() -> None:
    assert in_common("Only 6.1 GB  left on D:\\Backup of SQL01") == "Only … left on … of …"


def test_the_worst_objects_say_why_and_each_text_counts_once() -> None:
    objects = [
        Problem(status=WARNING, text="Slow", object_name="A"),
        Problem(status=FAILED, text="Disk full", object_name="B"),
        Problem(status=FAILED, text="Disk full", object_name="C"),
        Problem(status=FAILED, text="Access denied", object_name="D"),
    ]

    assert telling(FAILED, "Processing finished with errors", objects) == ("Disk full", "Access denied")


def test_the_run_itself_says_why_where_no_object_does() -> None:
    slow = Problem(status=WARNING, text="Slow", object_name="A")
    mute = Problem(status=FAILED, text="", object_name="A")

    assert telling(FAILED, "The repository is offline", [slow]) == ("The repository is offline",)
    assert telling(FAILED, "1 snapshot is damaged", [mute]) == ("1 snapshot is damaged",)
    assert telling(FAILED, "SRV-ONE: failed", [mute]) == ()


@pytest.mark.parametrize(
    "text", ["", "failed", "SQL01: Failed", "SQL01: failed (2 of 14)", "#: warning", "12 (3)", "#"]
)
def test_a_verdict_with_names_and_numbers_says_nothing(text: str) -> None:
    assert not says_something(text)


@pytest.mark.parametrize("text", ["leftover bad chunks: 4", "SQL01: disk full", "Ошибка", "エラー 5"])
def test_words_say_something(text: str) -> None:
    assert says_something(text)
