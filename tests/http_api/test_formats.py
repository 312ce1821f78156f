from datetime import UTC, datetime, timedelta

import pytest

from functions.http_api.formats import duration, filesize, plural, short_time, when

# Tuesday; 13:00 in Amsterdam.
NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "moment, text",
    [
        (datetime(2026, 2, 10, 5, 12, tzinfo=UTC), "06:12"),
        (datetime(2026, 2, 9, 23, 30, tzinfo=UTC), "00:30"),  # today, where the reader sits
        (datetime(2026, 2, 9, 5, 12, tzinfo=UTC), "Mon 06:12"),
        (datetime(2026, 2, 4, 5, 12, tzinfo=UTC), "Wed 06:12"),
        (datetime(2026, 2, 3, 5, 12, tzinfo=UTC), "3 Feb"),
        (datetime(2026, 2, 12, 5, 12, tzinfo=UTC), "Thu 06:12"),
        (datetime(2025, 2, 12, 5, 12, tzinfo=UTC), "12 Feb 2025"),
    ],
)
def test_a_time_is_as_short_as_it_is_clear(moment: datetime, text: str) -> None:
    assert short_time(moment, NOW) == text


def test_a_time_says_in_full_on_hover_what_it_is() -> None:
    assert when(datetime(2026, 7, 9, 5, 12, tzinfo=UTC), NOW) == (
        '<time datetime="2026-07-09T07:12:00+02:00" title="2026-07-09 07:12:00 CEST (Europe/Amsterdam)">9 Jul</time>'
    )


@pytest.mark.parametrize(
    "length, text",
    [
        (timedelta(hours=1, minutes=12, seconds=30), "1 h 12 m"),
        (timedelta(minutes=4, seconds=5), "4 m 5 s"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=3, hours=2, minutes=9), "3 d 2 h"),
        (timedelta(0), "0 s"),
        (-90, "-1 m 30 s"),
        (None, "–"),
    ],
)
def test_a_duration_has_its_two_largest_units(length: timedelta | float | None, text: str) -> None:
    assert duration(length) == text


@pytest.mark.parametrize(
    "size, text", [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_999, "1.0 MB"), (1_234_567_890, "1.2 GB")]
)
def test_a_size_has_the_unit_that_fits(size: int, text: str) -> None:
    assert filesize(size) == text


def test_one_is_not_many() -> None:
    assert plural(1, "job") == "1 job"
    assert plural(2000, "job") == "2,000 jobs"
    assert plural(0, "entry", "entries") == "0 entries"
