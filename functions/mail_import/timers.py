"""What happens by the clock. Each timer says that it runs; the work itself is a service."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import azure.functions as func

from shared.clients.queues import Queues
from shared.domain.timer import Timer

log = logging.getLogger(__name__)

bp = func.Blueprint()


@bp.function_name("mail_import")
@bp.timer_trigger(arg_name="timer", schedule="%CRON_MAIL_IMPORT%")
def mail_import(timer: func.TimerRequest) -> None:
    """Look for new mails. It ticks often; the settings say how often something happens."""
    from shared.services.tick_mail_import import tick_mail_import

    _tick(Timer.MAIL_IMPORT, timer, tick_mail_import)


@bp.function_name("graph_subscription")
@bp.timer_trigger(arg_name="timer", schedule="%CRON_GRAPH_SUBSCRIPTION%")
def graph_subscription(timer: func.TimerRequest) -> None:
    """See to it that Graph goes on to notify us."""
    from shared.services.tick_graph_subscription import tick_graph_subscription

    _tick(Timer.GRAPH_SUBSCRIPTION, timer, tick_graph_subscription)


@bp.function_name("watchdog")
@bp.timer_trigger(arg_name="timer", schedule="%CRON_WATCHDOG%")
def watchdog(timer: func.TimerRequest) -> None:
    """Look after the app itself, and shout when it fails."""
    from shared.services.tick_watchdog import tick_watchdog

    _tick(Timer.WATCHDOG, timer, tick_watchdog)


class Work(Protocol):
    """What a timer does; it returns counts."""

    def __call__(self, queues: Queues, *, clock: Callable[[], datetime]) -> dict[str, int]: ...


def _tick(timer: Timer, request: func.TimerRequest, work: Work) -> None:
    """Do the work and let the heart beat; what goes wrong goes on to the platform."""
    from shared import clock
    from shared.clients.queues import open_queues
    from shared.services.heartbeat import beating, intervals
    from shared.settings import settings

    if request.past_due:
        log.warning("a timer is late", extra={"timer": timer.value})
    with beating(timer, every=intervals(settings().timer_schedules)[timer], clock=clock.now):
        counts = work(open_queues(settings()), clock=clock.now)
    log.info("a timer ticked", extra={"timer": timer.value, "counts": counts})
