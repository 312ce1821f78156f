"""Slots keep their place on the wall clock, whatever the clock does; histories are read as people would."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.judge_history import Verdict, judge_history
from shared.domain.schedule import (
    Cycle,
    Lane,
    LastDay,
    MonthDay,
    MonthWeekday,
    Schedule,
    ScheduleKind,
    as_datetime,
    describe,
)
from shared.domain.schedule_course import walk

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAILY = Cycle(1, frozenset(range(7)))
ZONES = """
    Europe/Amsterdam Europe/London Europe/Dublin Europe/Lisbon Europe/Madrid Europe/Paris Europe/Rome Europe/Berlin
    Europe/Vienna Europe/Prague Europe/Warsaw Europe/Stockholm Europe/Oslo Europe/Helsinki Europe/Athens Europe/Kyiv
    Europe/Bucharest Europe/Chisinau Atlantic/Azores Atlantic/Canary America/New_York America/Chicago America/Denver
    America/Los_Angeles America/Anchorage America/Halifax America/St_Johns America/Havana America/Santiago
    America/Asuncion Asia/Jerusalem Asia/Beirut Africa/Cairo Africa/Casablanca Australia/Sydney Australia/Adelaide
    Australia/Lord_Howe Pacific/Auckland Pacific/Chatham Pacific/Easter
""".split()


def schedule(rule: object = DAILY, *minutes: float, grace: int = 60) -> Schedule:
    return Schedule(
        lanes=tuple(Lane(rule=rule, minute=minute, grace=grace) for minute in minutes or (1320,)), confidence=0.9
    )


def clock_changes(zone: ZoneInfo, year: int) -> list[date]:
    """Return the local days of the year on which the zone's clock changes."""
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]

    def offset(day: date) -> timedelta | None:
        return datetime(day.year, day.month, day.day, tzinfo=zone).utcoffset()

    return [day for day in days if offset(day) != offset(day + timedelta(days=1))]


def nights(first: str, number: int, *, every: int = 1, hour: int = 22) -> list[datetime]:
    begun = datetime.fromisoformat(first)
    return [
        (begun + timedelta(days=every * each, hours=hour)).replace(tzinfo=AMSTERDAM).astimezone(UTC)
        for each in range(number)
    ]


def judged(runs: Iterable[datetime], until: str) -> Verdict:
    return judge_history(list(runs), AMSTERDAM, until=datetime.fromisoformat(until).replace(tzinfo=UTC))


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("minute", [0, 30, 90, 125, 150, 180, 1439])
def test_each_local_day_has_one_slot_also_when_the_clock_changes(name: str, minute: int) -> None:
    zone = ZoneInfo(name)
    changes = clock_changes(zone, 2026)
    assert len(changes) in (2, 4) or name == "America/Asuncion"  # which keeps summer time now

    for change in changes:
        days = range(change.toordinal() - 2, change.toordinal() + 4)
        slots = [slot for day in days for slot in schedule(DAILY, minute).slots_on(day, zone)]
        on_days = Counter(as_datetime(slot.at).astimezone(zone).date().toordinal() for slot in slots)
        assert on_days == Counter(days)


def test_a_slot_keeps_its_wall_clock_time_when_the_clock_goes_back() -> None:
    """Summer time ended on 25 October 2026."""
    days = range(date(2026, 10, 24).toordinal(), date(2026, 10, 27).toordinal())

    found = [as_datetime(slot.at) for day in days for slot in schedule().slots_on(day, AMSTERDAM)]

    assert found == [
        datetime(2026, 10, 24, 20, tzinfo=UTC),
        datetime(2026, 10, 25, 21, tzinfo=UTC),
        datetime(2026, 10, 26, 21, tzinfo=UTC),
    ]


def test_hourly_slots_that_meet_where_the_clock_jumps_are_one() -> None:
    hourly = schedule(DAILY, *range(5, 1440, 60))

    spring = hourly.slots_on(date(2026, 3, 29).toordinal(), AMSTERDAM)

    assert len(spring) == 23
    assert len({slot.at for slot in spring}) == 23


@pytest.mark.parametrize("minutes", [(60, 120), (0, 720), (10, 20, 30)])
def test_grace_is_never_more_than_half_the_way_to_the_next_slot(minutes: tuple[float, ...]) -> None:
    busy = schedule(DAILY, *minutes, grace=900)

    slots = [slot for day in (739000, 739001) for slot in busy.slots_on(day, AMSTERDAM)]

    for slot, following in pairwise(slots):
        assert slot.deadline - slot.at <= (following.at - slot.at) / 2


@pytest.mark.parametrize(
    "rule, words, kind",
    [
        (DAILY, "daily at 22:00", ScheduleKind.DAILY),
        (Cycle(1, frozenset(range(5))), "Mon–Fri at 22:00", ScheduleKind.WEEKLY),
        (Cycle(1, frozenset({2, 5})), "Wed and Sat at 22:00", ScheduleKind.WEEKLY),
        (Cycle(2, frozenset({9}), 1), "every 2 weeks on Wed at 22:00", ScheduleKind.EVERY_N_WEEKS),
        (MonthDay(15), "monthly on day 15 at 22:00", ScheduleKind.MONTHLY),
        (LastDay(), "on the last day of the month at 22:00", ScheduleKind.MONTHLY),
        (MonthWeekday(1, 2), "on the second Tue of the month at 22:00", ScheduleKind.MONTHLY),
        (MonthWeekday(4, -1), "on the last Fri of the month at 22:00", ScheduleKind.MONTHLY),
    ],
)
def test_a_schedule_is_said_in_words(rule: object, words: str, kind: ScheduleKind) -> None:
    assert describe(schedule(rule)) == words
    assert schedule(rule).kind is kind


def test_a_daily_job_is_known_after_five_nights() -> None:
    verdict = judged(nights("2026-06-03", 5), "2026-06-08T12:00")

    assert verdict.kind is ScheduleKind.DAILY
    assert verdict.description == "daily at 22:00"
    assert verdict.next_slots[0] == datetime(2026, 6, 8, 20, tzinfo=UTC)


def test_a_silent_night_is_missed_once_its_grace_has_run_out() -> None:
    runs = nights("2026-06-01", 14)

    assert judged(runs, "2026-06-15T20:59").missed == ()
    assert judged(runs, "2026-06-15T23:30").missed == (datetime(2026, 6, 15, 20, tzinfo=UTC),)


def test_a_run_after_its_grace_makes_the_slot_late_not_missed() -> None:
    runs = nights("2026-06-01", 14)
    late = datetime(2026, 6, 16, 3, tzinfo=UTC)

    verdict = judged([*runs, late], "2026-06-16T12:00")

    assert verdict.missed == ()
    assert verdict.late == (datetime(2026, 6, 15, 20, tzinfo=UTC),)


def test_a_job_that_dies_every_friday_is_still_judged_on_fridays() -> None:
    runs = [run for run in nights("2026-03-02", 120) if run < datetime(2026, 5, 1, tzinfo=UTC) or run.weekday() != 4]

    verdict = judged(runs, "2026-06-29T12:00")

    assert verdict.kind is ScheduleKind.DAILY
    assert [each.weekday() for each in verdict.missed] == [4] * len(verdict.missed)
    assert len(verdict.missed) == 9


def test_a_weekday_that_fell_silent_is_proposed_to_be_dropped_and_stays_expected() -> None:
    weekdays = [night for night in nights("2026-01-05", 150) if night.weekday() < 5]
    alive = [night for night in weekdays if night.weekday() != 4 or night < weekdays[75]]

    course = walk([night.timestamp() for night in alive], AMSTERDAM, alive[-1].timestamp() + 3600)

    assert course.schedule is not None
    assert course.proposal is not None
    assert describe(course.schedule).startswith("Mon–Fri")
    assert describe(course.proposal).startswith("Mon–Thu")


def test_a_few_silent_nights_propose_nothing() -> None:
    alive = [night for number, night in enumerate(nights("2026-01-05", 60)) if number not in {40, 45, 52}]

    assert walk([night.timestamp() for night in alive], AMSTERDAM, alive[-1].timestamp() + 3600).proposal is None


def test_lanes_on_other_days_leave_each_other_their_grace() -> None:
    weekdays, saturdays = Cycle(1, frozenset(range(5))), Cycle(1, frozenset({5}))
    lanes = (Lane(rule=saturdays, minute=21.5 * 60, grace=200), Lane(rule=weekdays, minute=22 * 60, grace=200))

    assert Schedule(lanes=lanes, confidence=1.0).grace == 200


def test_a_job_that_stops_is_missed_to_the_end() -> None:
    verdict = judged(nights("2026-03-02", 40), "2026-06-01T12:00")

    assert len(verdict.missed) == (date(2026, 5, 31) - date(2026, 4, 10)).days


@pytest.mark.parametrize("phase", range(1, 29))
def test_monthly_is_never_read_as_weekly(phase: int) -> None:
    runs = [
        datetime(2026, month, phase, 22, tzinfo=AMSTERDAM).astimezone(UTC)
        for month in range(1, 11)
    ]  # fmt: skip

    for known in range(1, len(runs) + 1):
        kind = judged(runs[:known], f"2026-{known:02}-{phase:02}T23:59").kind
        assert kind in (ScheduleKind.UNKNOWN, ScheduleKind.MONTHLY, ScheduleKind.IRREGULAR, ScheduleKind.EVERY_N_WEEKS)
    assert kind is ScheduleKind.MONTHLY


def test_another_time_of_day_is_followed_within_a_few_nights() -> None:
    runs = nights("2026-04-01", 40) + nights("2026-05-11", 20, hour=27)

    verdict = judged(runs, "2026-05-31T12:00")

    assert verdict.description == "daily at 03:00"
    assert len(verdict.missed) <= 1
    assert len(verdict.late) <= 6


def test_retries_are_one_session_and_change_nothing() -> None:
    runs = nights("2026-04-01", 40)
    retries = [run + timedelta(minutes=12 * attempt) for run in runs[::3] for attempt in (1, 2)]

    assert judged(runs + retries, "2026-05-10T23:00") == judged(runs, "2026-05-10T23:00")


@given(st.permutations(nights("2026-06-01", 12)))
def test_the_order_in_which_runs_become_known_does_not_matter(runs: list[datetime]) -> None:
    assert judged(runs, "2026-06-15T12:00") == judged(sorted(runs), "2026-06-15T12:00")


@given(
    st.lists(st.integers(0, 260_000), max_size=60),
    st.sampled_from(["Europe/Amsterdam", "America/New_York", "Pacific/Chatham", "Asia/Kathmandu"]),
)
def test_any_history_is_judged_and_no_slot_twice(minutes: list[int], zone: str) -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)

    verdict = judge_history(
        [begun + timedelta(minutes=minute) for minute in minutes],
        ZoneInfo(zone),
        until=datetime(2026, 7, 2, tzinfo=UTC),
    )

    assert len({*verdict.missed, *verdict.late}) == len(verdict.missed) + len(verdict.late)
    assert list(verdict.missed) == sorted(verdict.missed)
    assert all(slot > datetime(2026, 7, 2, tzinfo=UTC) for slot in verdict.next_slots)
