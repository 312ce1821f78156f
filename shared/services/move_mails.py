"""Moves imported mails out of the way, in the mailbox. No import waits for it: what fails is tried again later."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import select

from shared.clients.errors import Throttled, Upstream
from shared.domain.mailflow import MoveState
from shared.models.mailbox import MailMove
from shared.services.sync_round import SyncRound

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 10
MOST = 400  # of one round
BATCH = 20  # Graph takes so many in one request
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=6)


def move_mails(round_: SyncRound) -> bool:
    """Move the mails that are due; return whether more are. Raise Throttled and LeaseLost, nothing else of Graph's."""
    if not round_.settings.move_processed or not (due := _due(round_)):
        return False
    batches = [due[start : start + BATCH] for start in range(0, min(MOST, len(due)), BATCH)]
    try:
        folder_id = round_.mailbox.ensure_folder(round_.settings.processed_folder)
        for batch in batches:
            _settle(round_, batch, round_.mailbox.move([move.graph_id for move in batch], folder_id))
    except Throttled:
        raise
    except Upstream as problem:
        log.warning("mails could not be moved", exc_info=True)
        waiting = [move for move in due if move.state is MoveState.WAITING][:BATCH]
        _settle(round_, waiting, dict.fromkeys((move.graph_id for move in waiting), str(problem)))
        return False
    return len(due) > MOST


def _due(round_: SyncRound) -> Sequence[MailMove]:
    query = select(MailMove).where(
        MailMove.mailbox_id == round_.mailbox_id,
        MailMove.state == MoveState.WAITING,
        MailMove.due_at <= round_.clock(),
    )
    with round_.write() as db:
        return db.scalars(query.order_by(MailMove.due_at, MailMove.id).limit(MOST + 1)).all()


def _settle(round_: SyncRound, moves: Sequence[MailMove], failed: Mapping[str, str]) -> None:
    """Note what became of the moves; those that `failed`, by their id with the reason, are due again later."""
    now = round_.clock()
    with round_.write() as db:
        for move in moves:
            db.add(move)
            move.attempts += 1
            move.last_error = failed.get(move.graph_id, "")[:500]
            if move.graph_id not in failed:
                move.state, move.settled_at = MoveState.DONE, now
                round_.counts["moved"] += 1
            elif move.attempts >= MAX_ATTEMPTS:
                move.state, move.settled_at = MoveState.GIVEN_UP, now
            else:
                move.due_at = now + min(FIRST_WAIT * 2 ** (move.attempts - 1), LONGEST_WAIT)
