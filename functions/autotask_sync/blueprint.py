"""The timer that looks what is due at the ticketing system, and the messages that have it done."""

import azure.functions as func

from shared.clients.queues import POISON
from shared.domain.queue_message import Queue
from shared.domain.timer import Timer

bp = func.Blueprint()
STORAGE = "AzureWebJobsStorage"


@bp.function_name("autotask_sync")
@bp.timer_trigger(arg_name="timer", schedule="%CRON_AUTOTASK_SYNC%")
def autotask_sync(timer: func.TimerRequest) -> None:
    """Look after incidents, and ask for what is due. It ticks often; the settings say how often tickets are polled."""
    from shared.services.tick_autotask_sync import tick_autotask_sync
    from shared.services.trigger import tick

    tick(Timer.AUTOTASK_SYNC, tick_autotask_sync, is_late=timer.past_due)


@bp.function_name("ticket_errands")
@bp.queue_trigger(arg_name="message", queue_name=Queue.TICKET_ERRANDS.value, connection=STORAGE)
def ticket_errands(message: func.QueueMessage) -> None:
    """Send errands, or poll tickets."""
    from shared.services.ticket_work import handle_ticket_work
    from shared.services.trigger import handle

    handle(_text(message), handle_ticket_work)


@bp.function_name("ticket_errands_poison")
@bp.queue_trigger(arg_name="message", queue_name=Queue.TICKET_ERRANDS.value + POISON, connection=STORAGE)
def ticket_errands_poison(message: func.QueueMessage) -> None:
    from shared.services.trigger import bury

    bury(Queue.TICKET_ERRANDS, str(message.id), _text(message))


def _text(message: func.QueueMessage) -> str:
    return bytes(message.get_body()).decode("utf-8", "replace")
