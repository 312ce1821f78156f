"""What was told of a job once is no news, however much it is."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.incident import MOST_KEPT, Told, news_in, said_by
from shared.domain.overrides import Problem, TroubledRun
from shared.domain.status import Status


def a_run(*problems: Problem) -> TroubledRun:
    return TroubledRun(
        run_id=1,
        job_id=1,
        software="Veeam",
        backup_type="Backup",
        at=datetime(2026, 3, 3, tzinfo=UTC),
        status=Status.FAILED,
        problems=problems,
    )


def failed(*names: str, says: str = "disk full") -> TroubledRun:
    return a_run(*(Problem(status=Status.FAILED, text=says, object_name=name) for name in names))


def stored(told: Told) -> Told:
    """Return what was told as it comes back from the database."""
    facts: dict[str, Any] = json.loads(json.dumps(told.to_json()))
    return Told.from_json(facts)


@pytest.mark.parametrize("number", [300, 1_000, MOST_KEPT + 1])
def test_as_many_objects_as_there_may_be_are_told_once(number: int) -> None:
    said = said_by([failed(*(f"mailbox {each}" for each in range(number)))])

    told = stored(said)

    assert not news_in(said, told)


def test_a_thousand_different_errors_are_told_once() -> None:
    letters = "abcdefghij"
    words = (f"error of {one}{two}{three}" for one in letters for two in letters for three in letters)
    said = said_by([a_run(*(Problem(status=Status.FAILED, text=each, object_name="SRV-01") for each in words))])

    assert len(said.errors) == 1_000
    assert not news_in(said, stored(said))


def test_another_one_among_many_is_still_news() -> None:
    names = [f"mailbox {each}" for each in range(1_000)]
    told = stored(said_by([failed(*names)]))

    assert news_in(said_by([failed(*names, "another mailbox")]), told).says == "other objects"
    assert news_in(said_by([failed(*names, says="access denied")]), told).says == "another error"


def test_of_more_than_can_be_kept_no_object_is_news_and_an_error_is() -> None:
    told = stored(said_by([failed(*(f"mailbox {each}" for each in range(MOST_KEPT + 1)))]))

    assert not news_in(said_by([failed("another mailbox")]), told)
    assert news_in(said_by([failed("another mailbox", says="access denied")]), told).says == "another error"


def test_what_is_kept_of_a_thousand_objects_is_short() -> None:
    told = said_by([failed(*(f"mailbox {each} of somebody with a long name" for each in range(1_000)))])

    assert len(json.dumps(told.to_json())) < 20_000


def test_what_was_kept_in_words_is_known_still() -> None:
    in_words = {"errors": ["failed: disk full"], "objects": ["srv-01"], "silence": 7}

    told = Told.from_json(in_words)

    assert told.silence == 7
    assert not news_in(said_by([failed("SRV-01")]), told)
    assert news_in(said_by([failed("SRV-02")]), told)
