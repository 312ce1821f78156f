"""When alarms begin and end: examples, and any course of signs at all."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.alarm import AlarmKind
from shared.domain.alarm_course import CALM, SETTLING, OpenAlarm, decide, watching_since
from shared.domain.watch import Finding

START = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
LONG_AGO = START - timedelta(days=9)
TICK = timedelta(minutes=5)
SUBJECTS = ("mail-parse", "mail-wake")


@dataclass
class History:
    """Does what is decided, and keeps every message."""

    alarms: dict[int, OpenAlarm] = field(default_factory=dict)
    said: list[tuple[str, str, datetime]] = field(default_factory=list)
    born: int = 0

    def tick(self, subjects: frozenset[str], now: datetime, since: datetime = LONG_AGO) -> None:
        found = [Finding(kind=AlarmKind.DEAD_LETTERS, subject=subject, message="!") for subject in subjects]
        decision = decide(list(self.alarms.values()), found, watching_since=since, now=now)
        for finding in decision.begin:
            self.born += 1
            self.alarms[self.born] = OpenAlarm(alarm_id=self.born, key=finding.key, calm_since=None)
            self.said.append(("begin", finding.subject, now))
        for alarm_id in decision.calm:
            self.alarms[alarm_id] = OpenAlarm(alarm_id=alarm_id, key=self.alarms[alarm_id].key, calm_since=now)
        for alarm_id in decision.again:
            self.alarms[alarm_id] = OpenAlarm(alarm_id=alarm_id, key=self.alarms[alarm_id].key, calm_since=None)
        for alarm_id in decision.end:
            self.said.append(("end", self.alarms.pop(alarm_id).key[1], now))

    def events(self, subject: str) -> list[str]:
        return [event for event, of, _ in self.said if of == subject]


def course(signs: str) -> History:
    """Return what was said over ticks at which the trouble was there (x) or not (.)."""
    history = History()
    for number, sign in enumerate(signs):
        history.tick(frozenset({"q"} if sign == "x" else ()), START + number * TICK)
    return history


def test_trouble_that_stays_is_said_once() -> None:
    assert course("xxxxxxxxxxxxxxxxxxxx").events("q") == ["begin"]


def test_trouble_that_flickers_is_said_once() -> None:
    assert course("x..x.x..x...xx.x..x.x").events("q") == ["begin"]


def test_trouble_that_is_gone_for_a_while_is_over_and_can_come_again() -> None:
    history = course("x....x....")

    assert [(event, (at - START) // TICK) for event, _, at in history.said] == [
        ("begin", 0),
        ("end", 4),
        ("begin", 5),
        ("end", 9),
    ]


def test_nothing_begins_while_the_watchdog_has_only_just_come_back() -> None:
    history = History()

    for minutes in (0, 5, 10, 15, 20):
        history.tick(frozenset({"q"}), START + timedelta(minutes=minutes), since=START)

    assert [at for _, _, at in history.said] == [START + SETTLING]


@given(
    st.lists(st.tuples(st.frozensets(st.sampled_from(SUBJECTS)), st.integers(min_value=1, max_value=40)), max_size=60)
)
def test_whatever_the_signs_an_incident_has_one_beginning_and_one_end(steps: list[tuple[frozenset[str], int]]) -> None:
    history, now = History(), START
    seen: list[tuple[datetime, frozenset[str]]] = []
    for subjects, minutes in steps:
        now += timedelta(minutes=minutes)
        history.tick(subjects, now)
        seen.append((now, subjects))
        assert len({alarm.key for alarm in history.alarms.values()}) == len(history.alarms)

    for subject in SUBJECTS:
        events = history.events(subject)
        assert events == ["begin", "end"] * (len(events) // 2) + ["begin"] * (len(events) % 2)
    for event, subject, at in history.said:
        there = dict(seen)[at]
        assert (subject in there) is (event == "begin")
        if event == "end":  # it was away for the whole time
            calm = [subjects for moment, subjects in seen if at - CALM <= moment <= at]
            assert all(subject not in subjects for subjects in calm)
    if seen:  # what is wrong at the end is known
        assert {alarm.key[1] for alarm in history.alarms.values()} >= seen[-1][1]


def test_a_pause_of_the_watchdog_starts_its_watch_anew_but_rare_ticks_do_not_keep_it_from_judging() -> None:
    def since_over(*minutes: int) -> list[int]:
        since, ticked_at, found = None, None, []
        for each in minutes:
            now = START + timedelta(minutes=each)
            since = watching_since(since, ticked_at, now=now)
            ticked_at = now
            found.append((since - START) // timedelta(minutes=1))
        return found

    assert since_over(0, 5, 10, 25, 41, 46) == [0, 0, 0, 0, 41, 41]
    assert since_over(0, 30, 60, 90) == [0, 0, 60, 60]
    assert since_over(10, 5) == [10, 5]
