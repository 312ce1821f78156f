"""What happens by the clock. Each timer says that it runs; the work itself is a service."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import azure.functions as func

from shared.domain.timer import Timer

log = logging.getLogger(__name__)

bp = func.Blueprint()


@bp.function_name("mail_import")
@bp.timer_trigger(arg_name="timer", schedule="%CRON_MAIL_IMPORT%")
def mail_import(timer: func.TimerRequest) -> None:
    """Read new mails. It ticks often; the settings say how often something happens."""
    from shared import clock
    from shared.clients.mailbox import FolderMailbox
    from shared.services.tick_mail_import import tick_mail_import
    from shared.settings import settings

    with _ticking(Timer.MAIL_IMPORT, timer):
        counts = tick_mail_import(FolderMailbox(settings().mail_folder), clock=clock.now)
        log.info("mail import ticked", extra={"counts": counts})


@bp.function_name("graph_subscription")
@bp.timer_trigger(arg_name="timer", schedule="%CRON_GRAPH_SUBSCRIPTION%")
def graph_subscription(timer: func.TimerRequest) -> None:
    """See to it that Graph goes on to notify us."""
    with _ticking(Timer.GRAPH_SUBSCRIPTION, timer):
        pass


@bp.function_name("watchdog")
@bp.timer_trigger(arg_name="timer", schedule="%CRON_WATCHDOG%")
def watchdog(timer: func.TimerRequest) -> None:
    """Look after the app itself, and shout when it fails."""
    from shared import clock
    from shared.clients.queues import open_queues
    from shared.services.tick_watchdog import tick_watchdog
    from shared.settings import settings

    with _ticking(Timer.WATCHDOG, timer):
        counts = tick_watchdog(open_queues(settings()), clock=clock.now)
        log.info("watchdog ticked", extra={"counts": counts})


@contextmanager
def _ticking(timer: Timer, request: func.TimerRequest) -> Iterator[None]:
    """Let the heart beat while the block runs."""
    from shared import clock
    from shared.services.heartbeat import beating, intervals
    from shared.settings import settings

    if request.past_due:
        log.warning("a timer is late", extra={"timer": timer.value})
    with beating(timer, every=intervals(settings().timer_schedules)[timer], clock=clock.now):
        yield
