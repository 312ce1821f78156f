"""The timer that has jobs looked after, and the messages that say which ones."""

import azure.functions as func

from shared.clients.queues import POISON
from shared.domain.queue_message import Queue
from shared.domain.timer import Timer

bp = func.Blueprint()
STORAGE = "AzureWebJobsStorage"


@bp.function_name("missed_runs")
@bp.timer_trigger(arg_name="timer", schedule="%CRON_MISSED_RUNS%")
def missed_runs(timer: func.TimerRequest) -> None:
    """Hand out the jobs of which something is new or due."""
    from shared.services.tick_missed_runs import tick_missed_runs
    from shared.services.trigger import tick

    tick(Timer.MISSED_RUNS, tick_missed_runs, is_late=timer.past_due)


@bp.function_name("job_watch")
@bp.queue_trigger(arg_name="message", queue_name=Queue.JOB_WATCH.value, connection=STORAGE)
def job_watch(message: func.QueueMessage) -> None:
    """Learn schedules, keep slots ahead and judge them."""
    from shared.services.tick_missed_runs import handle_job_watch
    from shared.services.trigger import handle

    handle(_text(message), handle_job_watch)


@bp.function_name("job_watch_poison")
@bp.queue_trigger(arg_name="message", queue_name=Queue.JOB_WATCH.value + POISON, connection=STORAGE)
def job_watch_poison(message: func.QueueMessage) -> None:
    from shared.services.trigger import bury

    bury(Queue.JOB_WATCH, str(message.id), _text(message))


def _text(message: func.QueueMessage) -> str:
    return bytes(message.get_body()).decode("utf-8", "replace")
