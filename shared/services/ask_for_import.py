"""Import now: puts the wish where whoever reads the mailbox finds it. Reading it is not done here."""

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from shared.clients.errors import Unavailable
from shared.clients.queues import Queues
from shared.db.session import transaction
from shared.domain.queue_message import Queue, Wake, WakeReason
from shared.services.errors import NotFound, Upstream
from shared.services.import_cycles import request_cycle
from shared.services.lease_mailbox import mailbox_id_of

_STAMP = "%Y%m%dT%H%M%S%f"
_REQUEST_ID = re.compile(r"(?P<stamp>\d{8}T\d{12})-[0-9a-f]{16}")


def ask_for_import(queues: Queues, *, mailbox: str, clock: Callable[[], datetime]) -> str:
    """Ask for a read of the mailbox, or of the mail folder where there is none; return the id by which it is found.

    Raise Upstream. Opens its own transaction: the wish must be there when the wake arrives, so that a read which
    begins in between answers it. Asking twice is harmless.
    """
    now = clock()
    request_id = f"{now.astimezone(UTC):{_STAMP}}-{secrets.token_hex(8)}"
    wake = Wake(reason=WakeReason.MANUAL, at=now, request_id=request_id)
    if mailbox:
        with transaction() as db:
            request_cycle(db, mailbox_id_of(db, mailbox), wake)
    try:
        queues.send(Queue.MAIL_WAKE, [replace(wake, at=clock()).to_json()])
    except Unavailable as problem:
        raise Upstream(
            "The queue did not take the request; mails are read by the timer. Try again in a minute.", retryable=True
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
