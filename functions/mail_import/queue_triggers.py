"""What waits in the queues: mails to look for, mails to import, and messages that failed too often."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared.clients.queues import POISON
from shared.domain.queue_message import Queue

if TYPE_CHECKING:
    from shared.services.trigger import MessageWork

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


def _handle(message: func.QueueMessage, work: "MessageWork") -> None:
    from shared.services.trigger import handle

    handle(_text(message), work)


def _bury(queue: Queue, message: func.QueueMessage) -> None:
    from shared.services.trigger import bury

    bury(queue, str(message.id), _text(message))


def _text(message: func.QueueMessage) -> str:
    return bytes(message.get_body()).decode("utf-8", "replace")
