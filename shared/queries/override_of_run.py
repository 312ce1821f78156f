"""The override by which a run counts as success."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.override_words import OverrideLevel
from shared.models.jobs import JobRun
from shared.models.overrides import Override
from shared.models.users import User


@dataclass(frozen=True, kw_only=True, slots=True)
class OverrideOfRun:
    """Who says why; one that is a mark is about this run alone."""

    override_id: int
    level: OverrideLevel
    reason: str
    made_by: str
    made_at: datetime

    @property
    def is_mark(self) -> bool:
        return self.level is OverrideLevel.RUN


def override_of_run(db: Session, run: JobRun) -> OverrideOfRun | None:
    if run.override_id is None:
        return None
    row = db.execute(
        select(
            Override.id.label("override_id"),
            Override.level,
            Override.reason,
            func.coalesce(func.nullif(User.display_name, ""), User.username).label("made_by"),
            Override.created_at.label("made_at"),
        )
        .join(User, User.id == Override.created_by)
        .where(Override.id == run.override_id)
    ).one()
    return OverrideOfRun(**row._asdict())
