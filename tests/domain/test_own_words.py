"""A mail that says more than its bad objects do has a problem of its own, which no override of an object covers."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.overrides import Problem
from shared.domain.own_words import says_more
from shared.domain.status import Status

WARNING, FAILED = Status.WARNING, Status.FAILED
DISK = Problem(status=WARNING, text="Warning: disk almost full on D:", object_name="SQL01")
MOUNT = Problem(status=FAILED, text="Error: unable to mount the target", object_name="OAK-DC1")
TEXTS = some.text(max_size=60) | some.lists(some.sampled_from(["disk", "full", "1", "of", "failed", "(", "; "])).map(
    " ".join
)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Job finished with warnings",
        "Completed with errors at 22/04/2026 19:00:44",
        "Processing finished with errors",
        "1 warning",
        "0 errors, 1 warning",
        "3 Successful Backups, 1 Warning Offsite Copy",
        "1 of 5 failed",
        "1 host needs attention.",
        "Warning: disk almost full on D:",
        "SQL01: Warning: disk almost full on D: (1 of 5)",
        "Processing SQL01 Error: disk almost full on D: Job finished with warning at 7:00:44 PM",
        "Taak voltooid met waarschuwingen",
        "Sicherung mit Warnungen abgeschlossen",
        "Sauvegarde terminée avec des avertissements",
        'The backup job "Nightly at HQ" has finished with 1 warning',
    ],
)
def test_what_says_nothing_or_what_the_object_says_is_nothing_more(message: str) -> None:
    of = FAILED if "failed" in message else WARNING

    assert not says_more(message, [Problem(status=of, text=DISK.text, object_name="SQL01")], names=("Nightly at HQ",))


@pytest.mark.parametrize(
    "message",
    [
        "2 of 5 VMs processed",
        "4 of 5 backups successful",
        "2 warnings",
        "3 of 5 failed",
        "1 Failed Backup",
        "1 Warning Backup, 1 Warning Offsite Copy",
        "The repository is full",
        "Licence expired",
        "Warning: disk almost full on E: of the repository",
        "Processing DC01 Error: disk almost full on D:",
        "Job finished with warnings. The network path was lost",
        "The job was canceled by the user",
        "Nothing to process",
        "2 hosts are unreachable",
        "1 backup has ended because the repository holds no space any more",
        "磁盘已满",
    ],
)
def test_what_no_object_says_is_something_more(message: str) -> None:
    assert says_more(message, [DISK])


def test_as_many_as_are_counted_have_to_be_listed() -> None:
    assert not says_more("1 Failed Backup, 1 Warning Offsite Copy", [DISK, MOUNT])
    assert not says_more("2 machines were excluded from task list", [DISK, MOUNT])
    assert says_more("2 Failed Backups", [DISK, MOUNT])


@given(some.lists(some.tuples(TEXTS, TEXTS), min_size=1, max_size=3))
def test_the_objects_own_words_are_never_more(told: list[tuple[str, str]]) -> None:
    objects = [Problem(status=FAILED, text=text, object_name=name) for name, text in told]

    assert not any(says_more(each.text, objects) for each in objects)


@given(TEXTS, some.sampled_from(["repository", "licence", "network path lost", "3 of 9 processed"]))
def test_a_word_that_nobody_said_is_always_more(message: str, more: str) -> None:
    assert says_more(f"{message}. {more}", [DISK])
    assert says_more(f"{more}. {message}", [DISK])


def test_any_message_is_compared_in_no_time() -> None:
    objects = [Problem(status=WARNING, text="1 2 " * 1000, object_name=f"vm {number}") for number in range(30)]
    began = perf_counter()

    for message in ("1 of " * 800, "1:1" * 1300, "1-1-" * 1000, "( " * 2000, "1 2 " * 1000 + "x"):
        says_more(message, objects)

    assert perf_counter() - began < 5
