"""The same error is the same each night, whatever numbers it holds."""

import pytest

from shared.domain.error_words import LONGEST, same_error


@pytest.mark.parametrize(
    "one, other",
    [
        ("Disk full: 12.4 GB of 500 GB", "disk  full: 3 GB of 512,5 GB"),
        ("Failed at 22:01:17", "Failed at 04.03.2026 22:01:17"),
        ("Error 0x80070035", "error 0x8007003A"),
        ("Job 3f2504e0-4f89-11d3-9a0c-0305e82c3301 failed", "Job 00000000-0000-0000-0000-000000000000 failed"),
        ("Cannot reach 10.0.0.17", "Cannot reach 192.168.1.1"),
    ],
)
def test_numbers_make_no_other_error(one: str, other: str) -> None:
    assert same_error(one) == same_error(other)


def test_other_words_are_another_error() -> None:
    assert same_error("Disk full") != same_error("Access denied")


def test_an_object_that_is_named_in_its_own_error_makes_no_other_error() -> None:
    assert same_error("Processing SRV-01: disk full", name="srv-01") == same_error(
        "Processing NAS: disk full", name="NAS"
    )


@pytest.mark.parametrize("text", ["", "1" * 200_000, "# " * 100_000, "a-" * 100_000, "0x" * 100_000])
def test_any_text_is_compared_by_a_short_one(text: str) -> None:
    assert len(same_error(text)) <= LONGEST
