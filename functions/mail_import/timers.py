"""What happens by the clock. Each timer says that it runs; the work itself is a service."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared.domain.timer import Timer

if TYPE_CHECKING:
    from shared.services.trigger import TimerWork

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


def _tick(timer: Timer, request: func.TimerRequest, work: "TimerWork") -> None:
    from shared.services.trigger import tick

    tick(timer, work, is_late=request.past_due)
