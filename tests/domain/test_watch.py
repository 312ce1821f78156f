"""What the watchdog finds wrong, fact by fact."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.domain.alarm import AlarmKind
from shared.domain.mailflow import SubscriptionState
from shared.domain.queue_message import Queue
from shared.domain.watch import (
    Facts,
    Finding,
    SourceFacts,
    SubscriptionFacts,
    TicketingFacts,
    TimerFacts,
    findings,
    is_backlog,
)

NOW = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
MAILBOX = "reports@oak.example"
NOT_READ = (AlarmKind.NOT_READ, MAILBOX)
NOTHING_QUEUED = dict.fromkeys(Queue, 0)


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


def source(
    *, on: bool = True, on_since: datetime | None = None, read_at: datetime | None = None, minutes: int = 15
) -> SourceFacts:
    return SourceFacts(name=MAILBOX, on=on, on_since=on_since, read_at=read_at, interval=timedelta(minutes=minutes))


FINE = Facts(
    source=source(on_since=ago(days=9), read_at=ago(minutes=5)),
    queued=NOTHING_QUEUED,
    dead_letters={},
    watching_since=ago(days=9),
    zone=ZoneInfo("Europe/Amsterdam"),
)


def found(facts: Facts, *open_alarms: tuple[AlarmKind, str]) -> list[Finding]:
    return findings(facts, open_alarms=frozenset(open_alarms), now=NOW)


def kinds(facts: Facts, *open_alarms: tuple[AlarmKind, str]) -> list[AlarmKind]:
    return [finding.kind for finding in found(facts, *open_alarms)]


def test_nothing_is_wrong_when_all_is_well() -> None:
    assert found(FINE) == []


@pytest.mark.parametrize(
    "facts, is_wrong",
    [
        (source(on_since=ago(days=9), read_at=ago(minutes=60)), False),
        (source(on_since=ago(days=9), read_at=ago(minutes=61)), True),
        (source(on_since=ago(days=9), read_at=ago(minutes=61), minutes=45), False),  # two intervals
        (source(on_since=ago(days=9), read_at=ago(minutes=91), minutes=45), True),
        (source(on_since=None, on=False), False),  # installed, never switched on
        (source(on_since=None, on=False, read_at=ago(days=2)), False),  # tried by hand
        (source(on_since=ago(minutes=59)), False),  # switched on lately
        (source(on_since=ago(minutes=61)), True),
        (source(on_since=ago(minutes=10), read_at=ago(days=2)), False),
        (source(on_since=ago(days=9), on=False, read_at=ago(minutes=30)), False),  # switched off a moment ago
        (source(on_since=ago(days=9), on=False, read_at=ago(minutes=61)), True),
        (source(on_since=ago(days=9), read_at=NOW + timedelta(hours=1)), False),  # a clock was put back
    ],
)
def test_a_source_is_missed_after_an_hour_or_two_intervals(facts: SourceFacts, *, is_wrong: bool) -> None:
    assert kinds(replace(FINE, source=facts)) == [AlarmKind.NOT_READ] * is_wrong


def test_an_import_that_is_switched_off_says_so() -> None:
    [finding] = found(replace(FINE, source=source(on_since=ago(days=9), on=False, read_at=ago(hours=2))))

    assert finding.message == (
        "The mailbox was last read to its end at 2026-03-03 06:00 CET. The automatic import is switched off."
    )


@pytest.mark.parametrize(
    "facts, is_wrong",
    [
        (source(on_since=ago(minutes=1), read_at=ago(days=2)), True),  # on again, but nothing was read yet
        (source(on_since=ago(minutes=1)), True),
        (source(on_since=ago(days=9), on=False, read_at=ago(minutes=1)), True),  # read by hand, still off
        (source(on_since=ago(days=9), read_at=ago(minutes=1)), False),
    ],
)
def test_a_missed_source_stays_missed_until_it_is_on_and_was_read(facts: SourceFacts, *, is_wrong: bool) -> None:
    assert kinds(replace(FINE, source=facts), NOT_READ) == [AlarmKind.NOT_READ] * is_wrong


def test_waiting_mails_and_full_queues_are_one_finding() -> None:
    facts = replace(FINE, oldest_arrival_at=ago(minutes=31), queued={Queue.MAIL_WAKE: 1000, Queue.MAIL_PARSE: 1001})

    [finding] = found(facts)

    assert is_backlog(facts, NOW)
    assert finding.message == (
        "Mails wait to be imported since 2026-03-03 07:29 CET. 1,001 messages wait in the queue mail-parse."
    )


@pytest.mark.parametrize("known, stays", [(frozenset(), False), (frozenset({(AlarmKind.BACKLOG, "")}), True)])
def test_a_queue_that_cannot_be_asked_changes_nothing(known: frozenset[tuple[AlarmKind, str]], *, stays: bool) -> None:
    assert bool(findings(replace(FINE, queued={}), open_alarms=known, now=NOW)) is stays


def test_dead_letters_are_found_by_queue() -> None:
    findings_ = found(replace(FINE, dead_letters={"mail-parse": 2, "mail-wake": 1}))

    assert [(finding.kind, finding.subject) for finding in findings_] == [
        (AlarmKind.DEAD_LETTERS, "mail-parse"),
        (AlarmKind.DEAD_LETTERS, "mail-wake"),
    ]


def timer(beat: float, good: float | None, *, every: float = 5, failed: bool = False) -> TimerFacts:
    """Return a timer that began and ended well so many minutes ago."""
    good_at = None if good is None else ago(minutes=good)
    return TimerFacts(
        name="tea", every=timedelta(minutes=every), beat_at=ago(minutes=beat), good_at=good_at, failed=failed
    )


@pytest.mark.parametrize(
    "facts, words",
    [
        (timer(15, 15), ""),
        (timer(16, 16, every=10), ""),
        (timer(31, 31, every=10), "has not run since 2026-03-03 07:29 CET"),
        (timer(1, 16), "has not ended well since 2026-03-03 07:44 CET"),
        (timer(16, None), "has not run since 2026-03-03 07:44 CET"),
        (timer(1, None, failed=True), "runs, but has never ended well"),
        (timer(1, None), ""),  # its first run is under way
    ],
)
def test_a_timer_stands_still_after_three_intervals(facts: TimerFacts, words: str) -> None:
    messages = [finding.message for finding in found(replace(FINE, timers=(facts,)))]

    assert messages == ([f"The timer tea {words}."] if words else [])


def test_timers_get_their_time_after_the_watchdog_was_away_itself() -> None:
    facts = replace(FINE, timers=(timer(600, 600),), watching_since=ago(minutes=15))

    assert found(facts) == []


def subscription(state: SubscriptionState, hours: float | None, *, checked: float = 60) -> SubscriptionFacts:
    """Return one that ends in so many hours and was looked at so many minutes ago."""
    expires_at = None if hours is None else NOW + timedelta(hours=hours)
    return SubscriptionFacts(folder="Inbox", state=state, expires_at=expires_at, checked_at=ago(minutes=checked))


ACTIVE, FAILED, REMOVED, REFUSED = (
    SubscriptionState.ACTIVE,
    SubscriptionState.FAILED,
    SubscriptionState.REMOVED,
    SubscriptionState.REFUSED,
)


@pytest.mark.parametrize(
    "facts, is_wrong",
    [
        (subscription(ACTIVE, 24), False),
        (subscription(ACTIVE, 23.9), True),
        (subscription(ACTIVE, -1), True),
        (subscription(FAILED, 30), False),  # it still runs; the next renewal may do it
        (subscription(FAILED, 10), True),
        (subscription(FAILED, None), True),
        (subscription(FAILED, None, checked=14), False),
        (subscription(REMOVED, None, checked=14), False),  # about to be made anew
        (subscription(REMOVED, 70, checked=15), True),
        (subscription(REFUSED, None), False),
    ],
)
def test_a_subscription_is_missed_a_day_before_it_ends(facts: SubscriptionFacts, *, is_wrong: bool) -> None:
    assert kinds(replace(FINE, subscriptions=(facts,))) == [AlarmKind.SUBSCRIPTION] * is_wrong


def test_a_lost_subscription_stays_lost_while_it_is_tried_anew() -> None:
    facts = replace(FINE, subscriptions=(subscription(FAILED, None, checked=0),))

    assert kinds(facts, (AlarmKind.SUBSCRIPTION, MAILBOX)) == [AlarmKind.SUBSCRIPTION]


def test_all_lost_subscriptions_are_one_finding() -> None:
    folders = tuple(replace(subscription(REMOVED, None), folder=f"Folder {number}") for number in range(7))

    [finding] = found(replace(FINE, subscriptions=folders))

    assert finding.message == (
        "Graph notifies us no longer of new mails in Folder 0, Folder 1, Folder 2, Folder 3, Folder 4 …. "
        "Meanwhile mails are found by polling."
    )


def test_nobody_misses_notifications_while_the_import_is_off() -> None:
    off = source(on_since=ago(days=9), on=False, read_at=ago(minutes=1))

    assert found(replace(FINE, source=off, subscriptions=(subscription(REMOVED, None),))) == []


def ticketing(refused_at: datetime | None = None, vanished: int = 0) -> TicketingFacts:
    return TicketingFacts(name="Autotask", refused_at=refused_at, vanished=vanished)


def test_a_refusal_says_whom_or_what_it_is_about() -> None:
    refused = replace(ticketing(ago(minutes=1)), why="Autotask does not know the integration code")

    [finding] = found(replace(FINE, ticketing=refused))

    assert ". Autotask does not know the integration code. Since then nothing is sent to it" in finding.message


def test_a_ticketing_system_that_refuses_us_or_shows_nothing_is_somebodys_business() -> None:
    """Each by itself, because each has its own cure."""
    both = replace(FINE, ticketing=ticketing(ago(minutes=1), 12))

    assert [(each.kind, each.subject) for each in found(both)] == [
        (AlarmKind.TICKETING, "sign-in"),
        (AlarmKind.TICKETING, "tickets"),
    ]
    assert found(both)[0].message.startswith("Autotask refused the sign-in at 2026-03-03 07:59 CET. Since then")
    assert found(both)[1].message.startswith("12 tickets are no longer to be seen at Autotask, all at once.")
    assert found(replace(FINE, ticketing=ticketing())) == []
