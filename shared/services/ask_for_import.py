"""Import now: puts the wish where whoever reads the mailbox finds it. Reading it is not done here."""

import re
import secrets
from datetime import UTC, datetime

from shared.clients.errors import Unavailable
from shared.clients.queues import Queues
from shared.domain.queue_message import Queue, Wake, WakeReason
from shared.services.errors import NotFound, Upstream

_STAMP = "%Y%m%dT%H%M%S%f"
_REQUEST_ID = re.compile(r"(?P<stamp>\d{8}T\d{12})-[0-9a-f]{16}")


def ask_for_import(queues: Queues, *, now: datetime) -> str:
    """Ask for a read of the source and return the id by which it is found. Raise Upstream.

    Asking twice is harmless: a read that began after both serves both.
    """
    request_id = f"{now.astimezone(UTC):{_STAMP}}-{secrets.token_hex(8)}"
    wake = Wake(reason=WakeReason.MANUAL, at=now, request_id=request_id)
    try:
        queues.send(Queue.MAIL_WAKE, [wake.to_json()])
    except Unavailable as problem:
        raise Upstream(
            "The queue did not take the request, so nothing was started. Try again in a minute.", retryable=True
        ) from problem
    return request_id


def asked_at(request_id: str) -> datetime:
    """Return when a request was made. Raise NotFound for an id that none ever had."""
    found = _REQUEST_ID.fullmatch(request_id)
    try:
        if found:
            return datetime.strptime(found["stamp"], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise NotFound("Nobody asked for this import.")
