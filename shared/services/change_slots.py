"""Writes what became of slots, all of a range at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, BindParameter, DateTime, String, func, literal, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from shared.db.base import table_of
from shared.domain.slot_state import SlotState
from shared.models.schedules import JobSlot


@dataclass(frozen=True, slots=True)
class Change:
    """What a slot is from now on."""

    job_id: int
    slot_at: datetime
    state: SlotState
    run_id: int | None = None
    why: str = ""
    candidate_id: int | None = None


def change_slots(db: Session, changes: Sequence[Change]) -> None:
    """Write the changes; the jobs' locks are held."""
    if not changes:
        return
    columns = func.unnest(
        _array([each.job_id for each in changes], BigInteger()),
        _array([each.slot_at for each in changes], DateTime(timezone=True)),
        _array([each.state.value for each in changes], String()),
        _array([each.run_id for each in changes], BigInteger()),
        _array([each.why for each in changes], String()),
        _array([each.candidate_id for each in changes], BigInteger()),
    )
    new = columns.table_valued("job_id", "slot_at", "state", "run_id", "why", "candidate_id").render_derived("new")
    db.execute(
        update(_slots)
        .where(_slots.c.job_id == new.c.job_id, _slots.c.slot_at == new.c.slot_at)
        .values({name: new.c[name] for name in ("state", "run_id", "why", "candidate_id")})
    )


def _array(members: Sequence[object], kind: TypeEngine[Any]) -> BindParameter[Any]:
    return literal(list(members), ARRAY(kind))


_slots = table_of(JobSlot)
