"""Asks the mailbox for the whole of the mails whose message alone does not say enough."""

import logging
import zlib
from collections.abc import Collection, Sequence

from sqlalchemy import Row, select

from shared.clients.errors import Throttled, Upstream
from shared.domain.mailflow import MimeState
from shared.models.mailbox import MailArrival
from shared.services.store_arrivals import give_out
from shared.services.sync_round import SyncRound

log = logging.getLogger(__name__)

MOST = 200  # of one round: a mail may be large
AT_ONCE = 4  # Graph serves no more of one mailbox at the same time
FAULTS_BORNE = 3
MAX_ATTEMPTS = 10


def fetch_whole_mails(round_: SyncRound) -> bool:
    """Store the bytes of wanted mails and let them be imported; return whether more are wanted.

    A mail that can't be had, though Graph answers otherwise, is imported as its message tells it. Raise Throttled and
    LeaseLost, nothing else of Graph's.
    """
    wanted = _wanted(round_)
    faults = 0
    for start in range(0, min(MOST, len(wanted)), AT_ONCE):
        asked = dict(wanted[start : start + AT_ONCE])
        try:
            for graph_id, raw in round_.mailbox.mime(list(asked)):
                _keep(round_, asked.pop(graph_id), raw)
        except Throttled:
            raise
        except Upstream as problem:
            log.warning("whole mails could not be had", extra={"mails": len(asked)}, exc_info=True)
            _count_failures(round_, asked.values(), str(problem))
            faults += 1
        if faults == FAULTS_BORNE:
            return False
    return len(wanted) > MOST


def _wanted(round_: SyncRound) -> Sequence[Row[str, int]]:
    """Return the mails' ids with those of their arrivals; what failed before comes last."""
    query = select(MailArrival.graph_id, MailArrival.id).where(
        MailArrival.mailbox_id == round_.mailbox_id, MailArrival.mime == MimeState.WANTED
    )
    with round_.write() as db:
        return db.execute(query.order_by(MailArrival.attempts, MailArrival.id).limit(MOST + 1)).all()


def _keep(round_: SyncRound, arrival_id: int, raw: bytes | None) -> None:
    with round_.write() as db:
        arrival = db.get(MailArrival, arrival_id, with_for_update=True)
        if arrival is None or arrival.mime is not MimeState.WANTED:
            return
        arrival.mime = MimeState.GONE if raw is None else MimeState.FETCHED
        arrival.raw = None if raw is None else zlib.compress(raw)
        arrival.attempts, arrival.queued_at = 0, round_.clock()
        round_.counts["whole"] += 1
    give_out(round_.queues, [arrival_id])


def _count_failures(round_: SyncRound, arrival_ids: Collection[int], problem: str) -> None:
    given_up = []
    with round_.write() as db:
        for arrival in db.scalars(select(MailArrival).where(MailArrival.id.in_(arrival_ids)).with_for_update()):
            arrival.attempts += 1
            arrival.last_error = problem[:500]
            if arrival.attempts >= MAX_ATTEMPTS:
                arrival.mime, arrival.attempts, arrival.queued_at = MimeState.GONE, 0, round_.clock()
                given_up.append(arrival.id)
    give_out(round_.queues, given_up)
