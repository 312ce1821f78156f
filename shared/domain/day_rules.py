"""Finds on which days runs come back. Pure; days are ordinals, the history is whatever the caller trusts.

Each family of rules proposes what fits the days best; a proposal says how often it held and what it leaves
unexplained, and the best one that holds well enough is the rule. Absence is never evidence for a thinner rule than the
days themselves show: what to do when a weekday falls silent is decided in schedule_course.py, not here.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from shared.domain.schedule import Cycle, DayRule, LastDay, MonthDay, MonthWeekday

RECENT = 56  # days that decide about weekly rules
EVERY_DAY = frozenset(range(7))
WORKDAYS = frozenset(range(5))
WEEKEND = frozenset({5, 6})
_MONTH = 30.44


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a rule explains days: expected ones that had a run, expected ones, and runs on other days."""

    rule: DayRule
    hits: int
    expected: int
    extras: int

    @property
    def score(self) -> float:
        return self.hits - (self.expected - self.hits) - self.extras

    def holds(self, *, ratio: float, extras: float) -> bool:
        return self.hits >= ratio * self.expected and self.extras <= extras * (self.hits + self.extras)


def find_day_rule(
    days: Sequence[int], *, is_vague: bool = False, may_be_young: bool = True, known: frozenset[int] | None = None
) -> Fit | None:
    """Return the rule behind `days` (ascending, each once), or None when they show none yet.

    Where the time of day is vague chance makes patterns too, so the days must be all the plainer. `may_be_young` lets a
    few days in a row be enough; `known` are the weekdays (Monday is 0) on which the job ran before it changed.
    """
    if len(days) < 3:
        return None
    young = _young(days, known) if may_be_young and not is_vague else None
    return young or _weekly(days, is_vague=is_vague) or _seldom(days)


def _young(days: Sequence[int], known: frozenset[int] | None) -> Fit | None:
    """A job that has just begun, or begun anew, and runs day after day: known after four or five runs in a row.

    Whether Saturday and Sunday belong to a new one is known only when one of them has passed; a weekday that passed
    without a run isn't assumed. One that changed is assumed to keep its weekdays as long as it runs on no others; if it
    has more of them by now it is as a new one.
    """
    span = days[-1] - days[0] + 1
    if span > 20 or len(days) < 0.65 * span:
        return None
    seen = {(day - 1) % 7 for day in days}
    passed = Counter((day - 1) % 7 for day in range(days[0], days[-1] + 1))
    offsets = set(seen)
    if known is None or len(seen) > len(known):
        to_come = EVERY_DAY - passed.keys()
        offsets |= to_come & WORKDAYS if len(seen & WORKDAYS) >= 4 else set()
        offsets |= to_come if seen & WEEKEND and len(seen) >= 5 else set()
    elif len(seen) >= 4 and seen <= known:
        offsets |= {weekday for weekday in known if passed[weekday] <= 1}
    fit = _fit(Cycle(1, frozenset(offsets)), days)
    is_plain = len(offsets) >= 4 and fit.holds(ratio=1.0 if len(days) < 6 else 0.8, extras=0.0)
    return fit if is_plain else None


def _weekly(days: Sequence[int], *, is_vague: bool) -> Fit | None:
    recent = [day for day in days if day > days[-1] - RECENT]
    if len(recent) < 3:
        return None
    # A single weekday needs three weeks to show itself, several need two.
    need = 3 if len({(day - 1) % 7 for day in recent}) == 1 else 2
    fit = _fit(Cycle(1, _usual(recent, 7, 1, need=need)), recent)
    if fit.hits < (3 if need == 3 else 4):
        return None
    is_proven = fit.hits >= (25 if is_vague else 10)
    # One week without a run must not make a weekly job one of every two weeks.
    may_lack = is_proven or (need == 3 and not is_vague)
    return fit if fit.holds(ratio=0.7 if may_lack else 0.85, extras=0.25 if is_proven else 0.12) else None


def _seldom(days: Sequence[int]) -> Fit | None:
    """Every few weeks, or monthly: whatever explains most; of two equals the one that expects its next run later."""
    fits = [_fit(rule, days) for rule in (*_cycles(days), *_monthly(days))]
    good = [fit for fit in fits if fit.hits >= 3 and fit.holds(ratio=0.6, extras=0.25)]
    return max(good, key=lambda fit: (fit.score, _next_after(fit.rule, days[-1])), default=None)


def _cycles(days: Sequence[int]) -> Iterator[DayRule]:
    monday = days[0] - (days[0] - 1) % 7
    for weeks in (2, 3, 4):
        offsets = _usual(days, 7 * weeks, monday, need=3)
        if offsets and not _comes_back_sooner(offsets, weeks):
            yield Cycle(weeks, offsets, monday)


def _comes_back_sooner(offsets: frozenset[int], weeks: int) -> bool:
    """Tell whether a shorter cycle has the same days: every two weeks on Sunday, in both weeks, is every Sunday."""
    shorter = (each for each in range(1, weeks) if weeks % each == 0)
    return any(offsets == frozenset((place + 7 * each) % (7 * weeks) for place in offsets) for each in shorter)


def _monthly(days: Sequence[int]) -> Iterator[DayRule]:
    """The monthly rules that the days suggest; a job that runs more often than monthly never is monthly."""
    a_month = (len(days) - 1) / (days[-1] - days[0]) * _MONTH
    if not 0.5 <= a_month <= 1.5:
        return
    dates = [date.fromordinal(day) for day in days]
    yield MonthDay(Counter(each.day for each in dates).most_common(1)[0][0])
    yield LastDay()
    weekday = Counter(each.weekday() for each in dates).most_common(1)[0][0]
    on_it = [each for each in dates if each.weekday() == weekday]
    yield MonthWeekday(weekday, Counter((each.day - 1) // 7 + 1 for each in on_it).most_common(1)[0][0])
    if any(each.day + 7 > monthrange(each.year, each.month)[1] for each in on_it):
        yield MonthWeekday(weekday, -1)


def _usual(days: Sequence[int], length: int, anchor: int, *, need: int) -> frozenset[int]:
    """Return the places in a cycle where a run came at least `need` times and most times."""
    counts = Counter((day - anchor) % length for day in days)
    first, last = days[0] - anchor, days[-1] - anchor
    passed = {place: (last - place) // length - (first - 1 - place) // length for place in counts}
    return frozenset(place for place, count in counts.items() if count >= need and count >= 0.6 * passed[place])


def _fit(rule: DayRule, days: Sequence[int]) -> Fit:
    on_rule = sum(rule.includes(day) for day in days)
    if isinstance(rule, Cycle):
        expected = _expected_of_cycle(rule, days[0], days[-1])
    else:
        expected = sum(rule.includes(day) for day in range(days[0], days[-1] + 1))
    return Fit(rule, on_rule, expected, len(days) - on_rule)


def _expected_of_cycle(rule: Cycle, first: int, last: int) -> int:
    length = 7 * rule.weeks
    return sum(
        (last - rule.anchor - place) // length - (first - 1 - rule.anchor - place) // length for place in rule.offsets
    )


def _next_after(rule: DayRule, day: int) -> int:
    return next((later for later in range(day + 1, day + 100) if rule.includes(later)), day + 100)
