"""Whether a sender or a customer fell silent, and which silences are one incident."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.silent_source import MIN_JOBS, Evidence, Silence, Source, apart

NIGHT = datetime(2026, 6, 2, 20, tzinfo=UTC)
RELAY = Source(from_address="backup@relay.example")


def evidence(jobs: int, *, missed: int, arrived: int) -> Evidence:
    return Evidence(jobs=jobs, arrived=arrived, missed=frozenset(range(missed)), began_at=NIGHT, last_at=NIGHT)


def silence(source: Source, jobs: Iterable[int]) -> Silence:
    return Silence(source=source, jobs=frozenset(jobs), began_at=NIGHT, last_at=NIGHT)


@pytest.mark.parametrize(
    "jobs, missed, is_silent",
    [(4, 4, False), (5, 5, True), (6, 5, True), (6, 4, False), (10, 8, True), (10, 7, False), (0, 0, False)],
)
def test_five_jobs_and_four_of_five_are_a_silence(jobs: int, missed: int, *, is_silent: bool) -> None:
    assert evidence(jobs, missed=missed, arrived=jobs - missed).is_silent is is_silent


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_nothing_is_silent_and_back_at_once(missed: int, arrived: int, unknown: int) -> None:
    what = evidence(missed + arrived + unknown, missed=missed, arrived=arrived)

    assert not (what.is_silent and what.is_back)


def test_a_customer_is_named_before_the_sender_that_explains_no_more() -> None:
    customer = silence(Source(customer_id=1), range(6))

    own, explained = apart([silence(RELAY, range(6)), customer])

    assert (own, [each.source for each in explained]) == ([customer], [RELAY])


def test_a_silence_with_enough_jobs_of_its_own_stays_an_item() -> None:
    relay, customer = silence(RELAY, range(20)), silence(Source(customer_id=1), range(18, 18 + 2 + MIN_JOBS))

    assert apart([customer, relay]) == ([relay, customer], [])


def test_a_small_silence_that_shares_no_job_with_others_is_not_explained_by_them() -> None:
    relay, left_over = silence(RELAY, range(20)), silence(Source(customer_id=1), [30, 31])

    assert apart([relay, left_over]) == ([relay, left_over], [])


@given(st.lists(st.tuples(st.integers(1, 9), st.frozensets(st.integers(0, 30), min_size=1)), max_size=9))
def test_every_silence_is_an_item_or_explained_whatever_their_order(found: list[tuple[int, frozenset[int]]]) -> None:
    silences = [silence(Source(customer_id=number), jobs) for number, jobs in dict(found).items()]

    own, explained = apart(silences)

    assert sorted(own + explained, key=lambda each: each.rank) == sorted(silences, key=lambda each: each.rank)
    assert apart(reversed(silences)) == (own, explained)
