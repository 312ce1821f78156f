"""The bytes of a mail, for whoever wants to have it as a file: kept ones, or asked of the mailbox that it came from.

Opens its own transactions, because Graph is asked between them.
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from shared.clients import errors as graph
from shared.clients.graph import GraphClient, connect
from shared.clients.graph_mailbox import GraphMailbox
from shared.clients.patience import HASTY
from shared.db.session import transaction
from shared.models.mail import MailMessage, MailRaw
from shared.models.mailbox import MailboxRow
from shared.models.system import SystemSettings
from shared.services.errors import NotFound, Upstream
from shared.settings import settings

NOT_KEPT = "The original of this mail isn't kept (any more). What was read in it is still here."
GONE = "The mail is no longer in the mailbox, and its original isn't kept here. What was read in it is still here."
WAIT = "Microsoft Graph asks us to wait, so the original can't be fetched right now. Try again in a few minutes."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What is here of a mail."""

    raw: bytes | None
    graph_id: str | None
    keeps_raw: bool
    throttled_until: datetime | None


@contextmanager
def _mailbox() -> Iterator[GraphMailbox]:
    """Yield the mailbox on a line of its own: a person waits, so it gives up sooner than the worker."""
    with closing(GraphClient(settings().graph_mailbox, connect(settings(), patience=HASTY))) as client:
        yield client


def fetch_eml(
    mail_id: int, *, now: datetime, mailbox: Callable[[], AbstractContextManager[GraphMailbox]] = _mailbox
) -> bytes:
    """Return the mail as it was received. Raise NotFound or Upstream with a sentence."""
    known = _known(mail_id)
    if known.raw is not None:
        return zlib.decompress(known.raw)
    if known.graph_id is None or not settings().graph_mailbox:
        raise NotFound(NOT_KEPT)
    if known.throttled_until is not None and known.throttled_until > now:
        raise Upstream(WAIT, retryable=True)
    with mailbox() as there:
        raw = _asked_for(known.graph_id, there)
    if known.keeps_raw:
        _keep(mail_id, raw)
    return raw


def _known(mail_id: int) -> _Known:
    query = (
        select(MailRaw.content, MailMessage.graph_id, MailboxRow.throttled_until)
        .select_from(MailMessage)
        .outerjoin(MailRaw, MailRaw.mail_id == MailMessage.id)
        .outerjoin(MailboxRow, MailboxRow.address == settings().graph_mailbox)
        .where(MailMessage.id == mail_id)
    )
    with transaction() as db:
        row = db.execute(query).one_or_none()
        keeps_raw = db.get_one(SystemSettings, 1).raw_days > 0
    if row is None:
        raise NotFound("This mail is gone.")
    return _Known(raw=row[0], graph_id=row[1], throttled_until=row[2], keeps_raw=keeps_raw)


def _asked_for(graph_id: str, mailbox: GraphMailbox) -> bytes:
    try:
        raw = dict(mailbox.mime([graph_id])).get(graph_id)
    except graph.Throttled as problem:
        raise Upstream(WAIT, retryable=True) from problem
    except graph.Upstream as problem:
        raise Upstream(
            f"The original can't be fetched from the mailbox: {problem}.", retryable=problem.retryable
        ) from problem
    if raw is None:
        raise NotFound(GONE)
    return raw


def _keep(mail_id: int, raw: bytes) -> None:
    row = {"mail_id": mail_id, "content": zlib.compress(raw), "size": len(raw)}
    with transaction() as db:
        is_there = select(MailMessage.id).where(MailMessage.id == mail_id).with_for_update(key_share=True)
        if db.scalar(is_there) is not None:  # it may have been purged meanwhile
            db.execute(insert(MailRaw).values(row).on_conflict_do_nothing())
