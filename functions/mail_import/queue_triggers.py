"""What waits in the queues: mails to look for, mails to import, and messages that failed too often."""

import logging
from collections.abc import Callable

import azure.functions as func

from shared.clients.queues import POISON, Queues
from shared.domain.queue_message import Queue

log = logging.getLogger(__name__)

bp = func.Blueprint()
STORAGE = "AzureWebJobsStorage"


@bp.function_name("mail_wake")
@bp.queue_trigger(arg_name="message", queue_name=Queue.MAIL_WAKE.value, connection=STORAGE)
def mail_wake(message: func.QueueMessage) -> None:
    """Look for new mails."""
    from shared.services.mail_queue import handle_wake

    _handle(message, handle_wake)


@bp.function_name("mail_parse")
@bp.queue_trigger(arg_name="message", queue_name=Queue.MAIL_PARSE.value, connection=STORAGE)
def mail_parse(message: func.QueueMessage) -> None:
    """Import mails that were read."""
    from shared.services.mail_queue import handle_parse

    _handle(message, handle_parse)


@bp.function_name("mail_wake_poison")
@bp.queue_trigger(arg_name="message", queue_name=Queue.MAIL_WAKE.value + POISON, connection=STORAGE)
def mail_wake_poison(message: func.QueueMessage) -> None:
    _bury(Queue.MAIL_WAKE, message)


@bp.function_name("mail_parse_poison")
@bp.queue_trigger(arg_name="message", queue_name=Queue.MAIL_PARSE.value + POISON, connection=STORAGE)
def mail_parse_poison(message: func.QueueMessage) -> None:
    _bury(Queue.MAIL_PARSE, message)


def _handle(message: func.QueueMessage, work: Callable[[str, Queues], dict[str, int]]) -> None:
    """Do what the message asks for, and look after the timers besides."""
    from shared import clock
    from shared.clients.queues import open_queues
    from shared.services.heal_timers import look_after_timers
    from shared.settings import settings

    look_after_timers(clock=clock.now)
    counts = work(_text(message), open_queues(settings()))
    log.info("a queue message is worked off", extra={"work": work.__name__, "counts": counts})


def _bury(queue: Queue, message: func.QueueMessage) -> None:
    from shared import clock
    from shared.db.session import transaction
    from shared.services.bury_message import bury_message

    with transaction() as db:
        bury_message(db, queue, message_id=str(message.id), body=_text(message), now=clock.now())


def _text(message: func.QueueMessage) -> str:
    return bytes(message.get_body()).decode("utf-8", "replace")
