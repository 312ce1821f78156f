"""Several mails that are one result."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.attempts import Attempt, combine, grouped
from shared.domain.job_key import job_key
from shared.domain.reading import ObjectResult
from shared.domain.status import Status, badness

NIGHT = datetime(2026, 3, 2, 22, 5, tzinfo=UTC)
OAK = job_key("backup@oak.example", "Veeam", "Backup job", "Nightly", "OAK")
ELM = job_key("backup@oak.example", "Veeam", "Backup job", "Nightly", "ELM")
GOOD = (Status.SUCCESS, Status.INFORMATIONAL)
S, W, F, U, NOTE = Status.SUCCESS, Status.WARNING, Status.FAILED, Status.UNREADABLE, Status.INFORMATIONAL


def attempt(
    minute: int,
    status: Status,
    things: dict[str, Status] | None = None,
    *,
    of: object = OAK,
    session: str | None = None,
    start: datetime | None = None,
    retry: int | None = None,
    message: str = "",
) -> Attempt:
    return Attempt(
        run_id=minute,
        at=NIGHT + timedelta(minutes=minute),
        status=status,
        objects=tuple(ObjectResult(name=name, type="VM", status=how) for name, how in (things or {}).items()),
        of=of,  # type: ignore[arg-type]
        session_id=session,
        started_at=start,
        retry=retry,
        message=message,
    )


def sizes(*attempts: Attempt, slots: tuple[tuple[datetime, datetime], ...] = ()) -> list[int]:
    return [len(group) for group in grouped(attempts, slots=slots)]


# What counts


def test_each_objects_last_attempt_counts() -> None:
    found = combine(
        [attempt(0, F, {"A": F, "B": S}), attempt(20, W, {"A": W}, retry=1), attempt(40, S, {"A": S}, retry=2)]
    )

    assert (found.status, found.recovered_on, found.message) == (S, 2, "recovered on retry 2")
    assert [(thing.result.name, thing.status, thing.recovered_on) for thing in found.objects] == [
        ("A", S, 2),
        ("B", S, None),
    ]


def test_what_fails_at_last_is_failed_however_it_began() -> None:
    found = combine([attempt(0, F, {"A": F}), attempt(20, S, {"A": S}, retry=1), attempt(40, F, {"A": F}, retry=2)])

    assert (found.status, found.recovered_on) == (F, None)


def test_an_object_that_the_retry_does_not_name_stays_failed() -> None:
    found = combine([attempt(0, F, {"A": F, "B": F}), attempt(20, S, {"A": S}, retry=1)])

    assert (found.status, found.recovered_on) == (F, None)
    assert found.message.startswith("B:")


def test_a_retry_by_the_mails_own_number_says_which_one_it_was() -> None:
    found = combine([attempt(0, F, {"A": F}), attempt(40, S, {"A": S}, retry=3)])

    assert found.recovered_on == 3


def test_two_machines_with_an_object_of_one_name_do_not_clear_each_other() -> None:
    found = combine([attempt(0, F, {"C:": F}, of=OAK), attempt(1, S, {"C:": S}, of=ELM)])

    assert found.status is F


def test_of_two_results_at_one_moment_the_worse_counts() -> None:
    assert combine([attempt(0, F, {"A": F}), attempt(0, S, {"A": S})]).status is F


def test_a_result_that_says_nothing_clears_nothing() -> None:
    assert combine([attempt(0, F, {"A": F}), attempt(5, NOTE, {"A": NOTE})]).status is F


@pytest.mark.parametrize(
    "later, status",
    [
        (attempt(20, S, retry=1), S),  # a retry of the whole
        (attempt(20, S, {"A": S, "B": S}, retry=1), S),
        (attempt(20, S, {"A": S}, retry=1), F),  # it is silent about B
        (attempt(20, S, {"A": S, "B": S}, session="7"), S),
        (attempt(20, S, {"A": S, "B": S}), F),  # no proof that it is about the same
        (attempt(20, S, {"A": S, "B": S}, session="7", of=ELM), F),
        (attempt(20, U, session="7"), F),
    ],
)
def test_a_failure_that_no_object_explains_is_cleared_only_by_what_covers_it(later: Attempt, status: Status) -> None:
    first = attempt(0, F, {"A": S, "B": S}, session="7")

    assert combine([first, later]).status is status


def test_a_machines_success_clears_no_failure_of_the_whole_session() -> None:
    found = combine([attempt(0, F, session="7", message="repository is full"), attempt(1, S, {"A": S}, session="7")])

    assert (found.status, found.message) == (F, "repository is full")


def test_a_mail_that_nobody_could_read_is_cleared_by_nothing() -> None:
    assert combine([attempt(0, U), attempt(20, S, {"A": S}, retry=1)]).status is U


def test_a_recovery_that_the_mail_itself_tells_of_is_no_trouble() -> None:
    recovered = ObjectResult(name="A", type="VM", status=F, recovered=True)
    first = Attempt(run_id=1, at=NIGHT, status=S, objects=(recovered,), of=OAK)

    assert combine([first, attempt(5, S, {"B": S})]).status is S


# What belongs together


def test_mails_of_one_session_are_one_whatever_they_say() -> None:
    assert sizes(*(attempt(each, how, session="7") for each, how in enumerate((S, F, S)))) == [3]
    assert sizes(*(attempt(each, S, start=NIGHT) for each in (0, 1, 2))) == [3]


def test_other_sessions_are_others_even_if_they_began_together() -> None:
    assert sizes(attempt(0, S, session="7", start=NIGHT), attempt(1, S, session="8", start=NIGHT)) == [1, 1]


def test_a_report_that_repeats_an_old_start_is_a_run_of_its_own_every_night() -> None:
    a_day = 24 * 60

    assert sizes(*(attempt(night * a_day, S, start=NIGHT) for night in range(3))) == [1, 1, 1]
    assert sizes(*(attempt(hour * 60, S, start=NIGHT - timedelta(days=9)) for hour in range(3))) == [1, 1, 1]


@pytest.mark.parametrize(
    "later, together",
    [
        (attempt(30, S, {"A": S}), True),  # it names what went wrong
        (attempt(30, S, {"B": S}), False),
        (attempt(30, S), False),
        (attempt(30, S, retry=1), True),  # it says so
        (attempt(30, S, {"A": S}, of=ELM), False),
        (attempt(61, S, {"A": S}), False),  # too late to be believed without a word
        (attempt(61, S, {"A": S}, retry=1), True),
        (attempt(361, S, {"A": S}, retry=1), False),
        (attempt(30, F, {"A": F}), True),
        (attempt(0, S, {"A": S}), False),  # nothing is retried before it has failed
    ],
)
def test_a_retry_needs_evidence(later: Attempt, *, together: bool) -> None:
    assert (len(grouped([attempt(0, F, {"A": F, "B": S}), later])) == 1) is together


def test_what_is_good_is_not_retried() -> None:
    assert sizes(attempt(0, F, {"A": F}), attempt(20, S, {"A": S}), attempt(40, F, {"A": F})) == [2, 1]
    assert sizes(attempt(0, U), attempt(20, S, {"A": S}, retry=1)) == [1, 1]


def test_the_next_slots_run_is_never_a_retry() -> None:
    slots = tuple((NIGHT + timedelta(hours=2 * each), NIGHT + timedelta(hours=2 * each - 1)) for each in range(4))

    assert sizes(attempt(0, F, {"A": F}), attempt(118, S, {"A": S}, retry=1), slots=slots) == [1, 1]
    assert sizes(attempt(0, F, {"A": F}), attempt(29, S, {"A": S}), slots=slots) == [2]
    assert sizes(attempt(0, F, {"A": F}), attempt(31, S, {"A": S}), slots=slots) == [1, 1]


def test_a_run_of_a_job_that_runs_every_hour_is_no_retry() -> None:
    hourly = [attempt(59 * each, F if each == 3 else S, {"A": F if each == 3 else S}) for each in range(6)]

    assert sizes(*hourly) == [1] * 6


# Properties

RESULTS = st.sampled_from([S, NOTE, W, F])
OBJECTS = st.dictionaries(st.sampled_from("ABC"), RESULTS, max_size=3)
ATTEMPTS = st.builds(
    attempt,
    st.integers(0, 600),
    st.sampled_from([S, NOTE, W, F, U]),
    OBJECTS,
    of=st.sampled_from([OAK, ELM]),
    session=st.sampled_from([None, "7", "8"]),
    start=st.sampled_from([None, NIGHT]),
    retry=st.sampled_from([None, 1, 2]),
)
SEVERAL = st.lists(ATTEMPTS, min_size=1, max_size=7, unique_by=lambda each: each.run_id)


@given(SEVERAL, st.randoms(use_true_random=False))
def test_the_order_of_arrival_decides_nothing(attempts: list[Attempt], chance: object) -> None:
    mixed = attempts.copy()
    chance.shuffle(mixed)  # type: ignore[attr-defined]

    assert combine(mixed) == combine(attempts)
    assert grouped(mixed) == grouped(attempts)


@given(SEVERAL)
def test_a_verdict_is_never_better_than_its_worst_object_that_nothing_cleared(attempts: list[Attempt]) -> None:
    found = combine(attempts)

    if len(attempts) > 1:
        assert all(badness(found.status) >= badness(thing.status) for thing in found.objects)
    if found.status in GOOD and len(attempts) > 1:
        assert not found.troubles


@given(SEVERAL, OBJECTS)
def test_a_failing_last_attempt_is_never_good(attempts: list[Attempt], things: dict[str, Status]) -> None:
    last = attempt(601, F, things)

    assert combine([*attempts, last]).status is F


@given(SEVERAL)
def test_every_mail_is_of_exactly_one_result(attempts: list[Attempt]) -> None:
    kept = [each.run_id for group in grouped(attempts) for each in group]

    assert sorted(kept) == sorted(each.run_id for each in attempts)


@given(SEVERAL)
def test_no_failure_is_cleared_without_a_later_success_of_the_same_thing(attempts: list[Attempt]) -> None:
    found = combine(attempts)

    for thing in found.objects if found.status in GOOD and len(attempts) > 1 else ():
        failed = [each for each in attempts if (thing.key[1], F) in _results(each, thing.key[0])]
        for each in failed:
            later = [one for one in attempts if one.at > each.at and (thing.key[1], S) in _results(one, thing.key[0])]
            assert later


def _results(one: Attempt, of: object) -> set[tuple[str, Status]]:
    return {(thing.name.casefold(), thing.status) for thing in one.objects} if one.of == of else set()
