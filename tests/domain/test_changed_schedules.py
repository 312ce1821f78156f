"""What runs by hand, misses and moved times do to a schedule: it follows the job, and neither dreams nor forgets."""

import random
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.domain.judge_history import Verdict, judge_history

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
BEGUN = date(2026, 1, 5)  # a Monday
MON_FRI, MON_SAT, SUN_THU, TUE_SAT = range(5), range(6), (6, 0, 1, 2, 3), range(1, 6)


def at(day: date, clock: str, *, minutes: float = 0) -> datetime:
    local = datetime.combine(day, datetime.min.time(), AMSTERDAM) + timedelta(minutes=minutes)
    hour, minute = map(int, clock.split(":"))
    return local.replace(hour=hour, minute=minute).astimezone(UTC)


def days(first: date, number: int) -> list[date]:
    return [first + timedelta(days=each) for each in range(number)]


def on(weekdays: Collection[int], clock: str, *, first: date = BEGUN, number: int) -> Iterator[datetime]:
    """Yield runs on some weekdays, a few minutes after a time of day."""
    jitter = random.Random(clock)
    for day in days(first, number):
        if day.weekday() in weekdays:
            yield at(day, clock) + timedelta(minutes=jitter.uniform(0, 8))


def judged(runs: Collection[datetime], until: datetime) -> Verdict:
    return judge_history(list(runs), AMSTERDAM, until=until)


@pytest.mark.parametrize("weekdays", [range(7), MON_FRI, MON_SAT, SUN_THU, TUE_SAT])
@pytest.mark.parametrize("later", range(7))
@pytest.mark.parametrize("to", ["20:10", "03:25"])
def test_a_job_that_moves_to_another_time_keeps_its_weekdays(weekdays: Collection[int], later: int, to: str) -> None:
    moves = BEGUN + timedelta(days=60 + later)
    runs = [
        *on(weekdays, "22:30", number=60 + later),
        *on(weekdays, to, first=moves, number=60),
    ]

    verdict = judged(runs, at(moves + timedelta(days=60), "00:00"))

    settled = at(moves + timedelta(days=14), "00:00")
    assert [slot for slot in verdict.missed if slot > settled] == []
    assert {slot.astimezone(AMSTERDAM).weekday() for slot in verdict.next_slots} <= set(weekdays)


def test_a_night_missed_just_after_the_time_moved_costs_the_job_no_weekday() -> None:
    moves = BEGUN + timedelta(days=60)
    missed_on = moves + timedelta(days=2)
    later = [run for run in on(range(7), "19:30", first=moves, number=30) if run.date() != missed_on]

    verdict = judged([*on(range(7), "22:30", number=60), *later], at(moves + timedelta(days=30), "12:00"))

    assert verdict.description.startswith("daily at 19:3")


def test_two_runs_by_hand_on_saturdays_make_no_weekday() -> None:
    by_hand = [at(date(2026, 3, 7), "10:00"), at(date(2026, 3, 14), "15:30")]

    verdict = judged([*on(MON_FRI, "13:30", number=120), *by_hand], at(BEGUN + timedelta(days=120), "12:00"))

    assert (verdict.description[:7], verdict.missed) == ("Mon–Fri", ())


def test_a_job_that_takes_saturdays_in_is_known_to_after_a_few() -> None:
    saturdays = list(on([5], "13:30", first=date(2026, 3, 7), number=60))

    verdict = judged([*on(MON_FRI, "13:30", number=120), *saturdays[:4]], at(date(2026, 4, 20), "12:00"))

    assert verdict.description.startswith("Mon–Sat")
    assert [slot.date() for slot in verdict.missed] == [date(2026, 4, 4), date(2026, 4, 11), date(2026, 4, 18)]


def test_runs_by_hand_on_four_afternoons_make_no_second_time() -> None:
    by_hand = [at(date(2026, 2, day), f"16:{minute:02}") for day, minute in ((16, 2), (18, 5), (20, 9), (21, 4))]

    verdict = judged([*on(range(7), "22:30", number=100), *by_hand], at(BEGUN + timedelta(days=100), "12:00"))

    assert (verdict.description.count(" at "), verdict.missed) == (1, ())


def test_an_assumed_saturday_falls_away_though_friday_ran_late() -> None:
    late_friday = at(date(2026, 1, 9), "08:40")
    runs = [run for run in on(SUN_THU, "01:30", number=40) if run > at(BEGUN, "12:00")]

    verdict = judged([*runs, late_friday], at(BEGUN + timedelta(days=40), "12:00"))

    saturdays = [slot for slot in verdict.missed if slot.astimezone(AMSTERDAM).weekday() == 5]
    assert len(saturdays) <= 1


def test_a_new_job_around_midnight_keeps_its_free_night() -> None:
    """Its days are those on which its nights begin or end, as its first runs fall."""
    jitter = random.Random(3)
    runs = [
        at(day, "23:50") + timedelta(minutes=jitter.uniform(0, 25))
        for day in days(BEGUN + timedelta(days=2), 60)
        if day.weekday() != 6
    ]

    verdict = judged(runs, at(BEGUN + timedelta(days=62), "12:00"))

    assert len(verdict.missed) <= 1  # the first Sunday was assumed


@pytest.mark.parametrize("step, lost", [(60, 0.1), (60, 0.05), (30, 0.08), (120, 0.1)])
def test_a_job_that_runs_all_day_is_learned_though_few_days_are_whole(step: int, lost: float) -> None:
    rng = random.Random(step)
    slots = [
        at(day, "00:00") + timedelta(minutes=minute + 7) for day in days(BEGUN, 40) for minute in range(0, 1440, step)
    ]
    runs = [slot + timedelta(minutes=rng.uniform(0, 5)) for slot in slots if rng.random() >= lost]
    died = slots[-1] + timedelta(minutes=30)

    verdict = judged(runs, died + timedelta(days=2))

    assert len([slot for slot in verdict.missed if slot > died]) >= 48 * 60 / step - 2


def test_an_hourly_job_misses_nothing_where_the_clock_skips_an_hour() -> None:
    rng = random.Random(5)
    begun = datetime(2026, 3, 1, tzinfo=UTC)
    runs = [begun + timedelta(hours=each, minutes=1 + rng.uniform(0, 5)) for each in range(24 * 45)]

    assert judged(runs, runs[-1]).missed == ()


def test_one_missed_week_makes_a_weekly_job_no_rarer_one() -> None:
    weeks = list(on([2], "21:00", number=7 * 12))
    missed = {weeks[2], weeks[8]}

    verdict = judged([run for run in weeks if run not in missed], at(BEGUN + timedelta(days=84), "12:00"))

    assert verdict.description.startswith("Wed")
    assert [slot.date() for slot in verdict.missed][-1:] == [weeks[8].date()]


def test_a_schedule_of_days_that_changed_does_not_come_back() -> None:
    changed = BEGUN + timedelta(days=100)
    runs = [*on([3, 4], "22:00", number=100), *on([6, 0], "22:00", first=changed, number=60)]

    verdict = judged(runs, at(changed + timedelta(days=60), "12:00"))

    assert verdict.description.startswith("Mon and Sun")
    assert not [slot for slot in verdict.missed if slot > at(changed + timedelta(days=28), "00:00")]


def test_the_same_days_in_every_week_are_no_longer_cycle() -> None:
    weeks = list(on([6], "10:00", number=7 * 20))
    by_hand = [at(day, "10:05") for day in (date(2026, 2, 3), date(2026, 2, 17), date(2026, 3, 12))]

    verdict = judged([*weeks, *by_hand], at(BEGUN + timedelta(days=140), "12:00"))

    assert verdict.description.startswith("Sun at")
