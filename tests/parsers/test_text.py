"""Sizes, times and labels as machines of many countries write them."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.parsers.text import duration, labels, size_in_bytes, wall_clock


@pytest.mark.parametrize(
    "text, expected",
    [
        ("16,5 GB", int(16.5 * 1024**3)),
        ("813.1 MB", int(813.1 * 1024**2)),
        ("1 234 bytes", 1234),
        ("1.234.567 bytes", 1_234_567),
        ("1.5 TiB free", int(1.5 * 1024**4)),
        ("0 B", 0),
        ("none", None),
        ("GB", None),
    ],
)
def test_sizes_are_read(text: str, expected: int | None) -> None:
    assert size_in_bytes(text) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("0:09:42", timedelta(minutes=9, seconds=42)),
        ("2.01:03:04", timedelta(days=2, hours=1, minutes=3, seconds=4)),
        ("35 Minute 12 Second", timedelta(minutes=35, seconds=12)),
        ("2m 41s", timedelta(minutes=2, seconds=41)),
        ("soon", None),
    ],
)
def test_durations_are_read(text: str, expected: timedelta | None) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-01 18:00:07",
        "1-2-2026 18:00:07",
        "01.02.2026 18:00:07",
        "zondag 1 februari 2026 18:00:07",
        "Sonntag, 1. Februar 2026 18:00:07",
        "dimanche 1 février 2026 18:00:07",
        "Sunday, February 1, 2026 6:00:07 PM",
        "Feb 1 2026 06:00:07PM",
    ],
)
def test_dates_of_many_countries_are_the_same_moment(text: str) -> None:
    assert wall_clock(text) == datetime.fromisoformat("2026-02-01T18:00:07")


@pytest.mark.parametrize("text", ["", "31-02-2026 12:00", "tomorrow", "2026-13-41", "1-2-2026 25:61"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert wall_clock(text) is None


@given(st.text(max_size=200))
def test_any_text_is_read_without_a_crash(text: str) -> None:
    assert duration(text) is None or duration(text) >= timedelta(0)
    assert size_in_bytes(text) is None or size_in_bytes(text) >= 0
    assert wall_clock(text) is None or wall_clock(text).tzinfo is None
    assert all(label and value == value.strip() for label, value in labels(text).items())
