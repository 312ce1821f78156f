"""Where Graph calls: new mails have come, or something about the subscription. It answers and wakes others, no more.

Graph gives a cold process three seconds, so nothing heavy is loaded here and no database is asked. Genuine or not, a
call gets the same answer. Whether mails are imported at all decides whoever reads the queue.
"""

import logging
from typing import List  # noqa: UP035 -- the platform's worker finds no function at all with `list[str]` in an output

import azure.functions as func

from functions.mail_import.notifications import LARGEST_BODY, NOTHING, BadBody, Heard, hear, is_echoable
from shared import clock
from shared.domain.client_state import client_state
from shared.domain.queue_message import Queue, Wake, WakeReason
from shared.settings import settings

log = logging.getLogger(__name__)

bp = func.Blueprint()
STORAGE = "AzureWebJobsStorage"
# The answer is the caller's own text: no browser may take it for a page.
PLAIN = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


@bp.function_name("graph_notifications")
@bp.route(route="api/graph/notifications", methods=[func.HttpMethod.POST], auth_level=func.AuthLevel.ANONYMOUS)
@bp.queue_output(arg_name="wake", queue_name=Queue.MAIL_WAKE.value, connection=STORAGE)
def graph_notifications(req: func.HttpRequest, wake: func.Out[str]) -> func.HttpResponse:
    """Wake the reader once for all mails of a call.

    The platform puts the message into the queue before it answers, and answers 500 when it cannot: Graph calls again.
    """
    answer, heard = _hear(req)
    if heard.genuine:
        wake.set(_wake(WakeReason.NOTIFICATION))
    return answer


@bp.function_name("graph_lifecycle")
@bp.route(route="api/graph/lifecycle", methods=[func.HttpMethod.POST], auth_level=func.AuthLevel.ANONYMOUS)
@bp.queue_output(arg_name="wakes", queue_name=Queue.MAIL_WAKE.value, connection=STORAGE)
def graph_lifecycle(req: func.HttpRequest, wakes: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006 -- as above
    """Wake the reader for what Graph says about the subscription, once for each kind of event."""
    answer, heard = _hear(req)
    if reasons := heard.lifecycle:
        wakes.set([_wake(reason) for reason in reasons])
    return answer


def _hear(req: func.HttpRequest) -> tuple[func.HttpResponse, Heard]:
    """Return the answer, and what was said by Graph itself."""
    if (token := req.params.get("validationToken")) is not None:
        return (_plain(200, token) if is_echoable(token) else _plain(400, "not a validation token")), NOTHING
    body = req.get_body()
    if len(body) > LARGEST_BODY:
        return _plain(413, "too large"), NOTHING
    try:
        heard = hear(body, secret=_secret())
    except BadBody as problem:
        return _plain(400, str(problem)), NOTHING
    counts = {"genuine": len(heard.genuine), "forged": heard.forged}
    log.log(logging.WARNING if heard.forged else logging.INFO, "graph called", extra=counts)
    return _plain(202, ""), heard


def _wake(reason: WakeReason) -> str:
    return Wake(reason=reason, at=clock.now()).to_json()


def _secret() -> str:
    """Return what a genuine item knows; nothing where no mailbox is read, so that nothing is genuine."""
    known = settings()
    return client_state(known.secret_key, known.graph_mailbox) if known.graph_mailbox and known.secret_key else ""


def _plain(status: int, text: str) -> func.HttpResponse:
    return func.HttpResponse(text, status_code=status, headers=PLAIN)
