"""The record of reads of a mailbox. One that a person asked for exists from that moment: a page can watch it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.domain.mailflow import Source
from shared.domain.queue_message import Wake, WakeReason
from shared.models.system import ImportCycle


def request_cycle(db: Session, mailbox_id: int, wake: Wake) -> None:
    """Record that somebody asked for a read; the next one answers all that wait. Harmless to repeat."""
    asked = {"source": Source.GRAPH, "mailbox_id": mailbox_id, "trigger": WakeReason.MANUAL.value}
    db.execute(
        insert(ImportCycle).values(**asked, started_at=wake.at, request_id=wake.request_id).on_conflict_do_nothing()
    )


def requested_cycles(db: Session, mailbox_id: int) -> list[int]:
    """Return the reads that were asked for and never came to their end."""
    query = select(ImportCycle.id).where(
        ImportCycle.mailbox_id == mailbox_id,
        ImportCycle.trigger == WakeReason.MANUAL.value,
        ImportCycle.finished_at.is_(None),
    )
    return list(db.scalars(query))


def begin_cycle(db: Session, mailbox_id: int, reason: WakeReason, now: datetime) -> int:
    """Record that a read begins by itself."""
    begun = {"source": Source.GRAPH, "mailbox_id": mailbox_id, "trigger": reason.value, "started_at": now}
    return db.scalars(insert(ImportCycle).values(**begun).returning(ImportCycle.id)).one()


def show_progress(db: Session, cycle_ids: Sequence[int], counts: Mapping[str, int]) -> None:
    """Let pages see how far the reads are."""
    if cycle_ids:
        db.execute(update(ImportCycle).where(_unfinished(cycle_ids)).values(counts=dict(counts)))


def finish_cycles(
    db: Session, cycle_ids: Sequence[int], *, now: datetime, complete: bool = False, error: str = ""
) -> None:
    """Record how the reads ended; those that ended before stay as they are."""
    if cycle_ids:
        ended = {"finished_at": now, "complete": complete, "error": error}
        db.execute(update(ImportCycle).where(_unfinished(cycle_ids)).values(**ended))


def _unfinished(cycle_ids: Sequence[int]) -> ColumnElement[bool]:
    return and_(ImportCycle.id.in_(cycle_ids), ImportCycle.finished_at.is_(None))
