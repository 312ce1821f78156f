"""The local clockwork: schedules as the platform reads them, and ticks that nothing stops."""

import threading
from datetime import UTC, datetime

import azure.functions as func
import pytest

from infra.local.functions import index
from infra.local.threads import working
from infra.local.timers import Timer, tick, ticking, timers_of

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def nothing(timer: func.TimerRequest) -> None: ...


@pytest.mark.parametrize(
    "schedule,expected",
    [
        ("0 */5 * * * *", datetime(2026, 11, 24, 12, 5, tzinfo=UTC)),
        ("30 * * * * *", datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)),
        ("0 0 3 * * *", datetime(2026, 11, 25, 3, 0, tzinfo=UTC)),
    ],
)
def test_seconds_come_first_in_a_schedule(schedule: str, expected: datetime) -> None:
    assert Timer(name="tea", schedule=schedule, work=nothing).next_after(NOON) == expected


def test_timers_are_found_in_the_app_with_the_schedules_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRON_TEA", "0 0 16 * * *")
    app = func.FunctionApp()
    app.function_name("tea")(app.timer_trigger(arg_name="timer", schedule="%CRON_TEA%")(nothing))
    app.function_name("page")(app.route(route="page")(lambda req: func.HttpResponse()))

    [found] = timers_of(index(app))

    assert (found.name, found.schedule, found.work) == ("tea", "0 0 16 * * *", nothing)


def test_a_timer_that_fails_ticks_again(caplog: pytest.LogCaptureFixture) -> None:
    twice = threading.Barrier(2)

    def fail(timer: func.TimerRequest) -> None:
        twice.wait(10)
        raise ValueError("no tea")

    with working(ticking([Timer(name="tea", schedule="* * * * * *", work=fail)])):
        twice.wait(10)
        twice.wait(10)

    assert "a timer failed" in caplog.messages


def test_a_tick_says_whether_it_is_late() -> None:
    seen: list[bool] = []

    tick(Timer(name="tea", schedule="0 * * * * *", work=lambda request: seen.append(request.past_due)), past_due=True)

    assert seen == [True]
