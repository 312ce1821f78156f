"""When a device that sleeps has been without a good backup for too long."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.overdue import Lapse, Waiting, day_over, in_words, lapse

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 365 * 24 * 60).map(lambda minutes: YEAR + timedelta(minutes=minutes))
HOURS = st.integers(0, 24 * 40)


def found(since: datetime, until: datetime, *, limit: int = 3, reviewed_at: datetime | None = None) -> Lapse | None:
    waiting = Waiting(since=since, proven_until=until, reviewed_at=reviewed_at)
    return lapse(waiting, limit=limit, zone=AMSTERDAM)


@given(MOMENTS, HOURS, st.integers(1, 10))
def test_the_limit_passes_once_so_many_days_are_over_and_not_before(since: datetime, hours: int, limit: int) -> None:
    until = since + timedelta(hours=hours)

    what = found(since, until, limit=limit)

    assert (what is None) == (until < day_over(since, limit, AMSTERDAM))
    if what is not None:
        assert what.passed_at == day_over(since, limit, AMSTERDAM)
        assert day_over(since, what.days, AMSTERDAM) <= until < day_over(since, what.days + 1, AMSTERDAM)


@given(MOMENTS, st.integers(3, 40))
def test_it_escalates_once_a_local_day_at_most(since: datetime, days: int) -> None:
    grown = day_over(since, days, AMSTERDAM)
    today = grown.astimezone(AMSTERDAM).date()
    later = [grown + timedelta(hours=hours) for hours in range(26)]

    lengths = {found(since, each) for each in later if each.astimezone(AMSTERDAM).date() == today}

    assert lengths == {Lapse(passed_at=day_over(since, 3, AMSTERDAM), days=days)}


@given(MOMENTS, st.integers(3, 20), HOURS)
def test_a_review_buys_the_length_of_the_limit_and_never_more(since: datetime, days: int, hours: int) -> None:
    reviewed_at = since + timedelta(days=days, hours=hours % 24)

    at_once = found(since, reviewed_at, reviewed_at=reviewed_at)
    later = found(since, reviewed_at + timedelta(days=3, hours=1), reviewed_at=reviewed_at)

    assert at_once is None
    assert later is not None
    assert later.passed_at > reviewed_at + timedelta(days=1, hours=23)


def test_where_the_clock_skips_the_hour_a_day_is_still_over() -> None:
    saturday = datetime(2026, 3, 28, 1, 30, tzinfo=UTC)  # 02:30; on Sunday there is no such time

    moments = [day_over(saturday, days, AMSTERDAM) for days in (1, 2)]

    assert moments == [datetime(2026, 3, 29, 1, 30, tzinfo=UTC), datetime(2026, 3, 30, 0, 30, tzinfo=UTC)]


def test_days_that_do_not_count_are_among_the_days_but_bring_the_limit_no_nearer() -> None:
    since = datetime(2026, 6, 1, 15, tzinfo=UTC)
    waiting = Waiting(since=since, proven_until=since + timedelta(days=8))

    what = lapse(waiting, limit=3, zone=AMSTERDAM, counts=lambda moment: moment.day not in (2, 3, 4))

    assert what == Lapse(passed_at=since + timedelta(days=6), days=8)


def test_it_says_how_long_and_since_what() -> None:
    assert in_words(5, 3, was_ever_good=True) == "no good backup for 5 days (limit 3)"
    assert in_words(1, 1, was_ever_good=False) == "no good backup yet, 1 day after the first report (limit 1)"
