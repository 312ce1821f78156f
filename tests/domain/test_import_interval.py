from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.import_interval import is_import_due

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def test_the_first_tick_imports() -> None:
    assert is_import_due(enabled=True, interval=QUARTER, last_started_at=None, now=NOW)


def test_nothing_is_imported_while_the_import_is_off() -> None:
    assert not is_import_due(enabled=False, interval=QUARTER, last_started_at=None, now=NOW)


@pytest.mark.parametrize(
    "minutes,due", [(0, False), (5, False), (10, False), (14.4, False), (14.6, True), (15, True), (60, True)]
)
def test_a_tick_imports_once_the_interval_has_passed_give_or_take_the_jitter_of_timers(
    minutes: float, *, due: bool
) -> None:
    last = NOW - timedelta(minutes=minutes)

    assert is_import_due(enabled=True, interval=QUARTER, last_started_at=last, now=NOW) is due


def test_a_clock_that_was_put_back_does_not_stop_the_import() -> None:
    last = NOW + timedelta(hours=3)

    assert is_import_due(enabled=True, interval=QUARTER, last_started_at=last, now=NOW)
