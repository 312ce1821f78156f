"""What is around a new run, asked in statements that are built once: they run for every mail.

Each is asked after the job is locked: a statement that waits for the lock sees what was there before. Most runs have
nothing around them, so adding one asks only what is cheap to know, and the rest is asked where that says so.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import CTE, Select, bindparam, exists, func, or_, select
from sqlalchemy.orm import aliased

from shared.db.base import table_of
from shared.domain.attempts import RETRY, SESSION
from shared.domain.override_words import OverrideLevel
from shared.domain.run import RunSource
from shared.domain.status import NOTHING_WRONG
from shared.models.jobs import JobRun
from shared.models.mail import MailReading
from shared.models.overrides import Override
from shared.models.schedules import JobSchedule, JobSlot
from shared.services.join_attempts import REPORTED
from shared.services.link_tickets import has_tickets

LATEST_ANSWER = timedelta(days=40)  # after its slot: a report may wait in the inbox, and slots lie up to a month apart

_runs = table_of(JobRun)
_later, _neighbour, _silent = _runs.alias("later"), _runs.alias("neighbour"), _runs.alias("silent")


def with_surroundings(added: CTE) -> Select[Any]:
    """Return the statement that adds a run by `added` (id, job_id, run_at) and tells its id and what may be around it.

    In this order: the id; whether a later run is there; whether a run is near; whether one is missed that it may be;
    whether the job has tickets or remarks; whether there are overrides at all.
    """
    is_of_job = (_neighbour.c.job_id == added.c.job_id, _neighbour.c.source.in_(REPORTED))
    is_near = _neighbour.c.run_at.between(added.c.run_at - SESSION, added.c.run_at + SESSION)
    is_missed = (_silent.c.job_id == added.c.job_id, _silent.c.source == RunSource.MISSED)
    may_be_it = _silent.c.slot_at >= added.c.run_at - LATEST_ANSWER  # a maximum silence ends weeks after its answer
    return select(
        added.c.id,
        exists().where(_later.c.job_id == added.c.job_id, _later.c.run_at > added.c.run_at),
        exists().where(*is_of_job, is_near),
        exists().where(*is_missed, may_be_it),
        has_tickets(added.c.job_id),
        exists().where(Override.level != OverrideLevel.RUN),  # an ended one is still about the runs of its time
    )


_new = _runs.alias("new")
_this = _new.c.id == bindparam("new_run")
_near, _mate = _runs.alias("near"), _runs.alias("mate")
_mine, _theirs = table_of(MailReading).alias("mine"), table_of(MailReading).alias("theirs")
_NEAR_TROUBLE = exists().where(
    _near.c.job_id == _new.c.job_id,
    _near.c.id != _new.c.id,
    _near.c.run_at.between(_new.c.run_at - RETRY, _new.c.run_at + RETRY),
    _near.c.source.in_(REPORTED),
    or_(
        _new.c.raw_status.not_in(NOTHING_WRONG),
        _near.c.raw_status.not_in(NOTHING_WRONG),
        _near.c.attempt_of_id.is_not(None),
        _near.c.recovered_on.is_not(None),
    ),
)
_OF_A_SESSION = exists().where(
    _mine.c.id == _new.c.reading_id,
    or_(_mine.c.session_id.is_not(None), _mine.c.started_at.is_not(None)),
    _mate.c.job_id == _new.c.job_id,
    _mate.c.id != _new.c.id,
    _mate.c.run_at.between(_new.c.run_at - SESSION, _new.c.run_at + SESSION),
    _theirs.c.id == _mate.c.reading_id,
    or_(_theirs.c.session_id == _mine.c.session_id, _mate.c.started_at == _new.c.started_at),
)
HAS_COMPANY = select(or_(_NEAR_TROUBLE, _OF_A_SESSION)).select_from(_new).where(_this)

_missed, _answer_to = aliased(JobRun), aliased(JobRun)
_own_slot, _next_slot = aliased(JobSlot), aliased(JobSlot)
_could_be_its_own = exists().where(
    _own_slot.job_id == _missed.job_id, _own_slot.slot_at == _missed.slot_at, _own_slot.early_from <= _new.c.run_at
)
_is_next_ones = exists().where(
    _next_slot.job_id == _missed.job_id, _next_slot.slot_at > _missed.slot_at, _next_slot.early_from <= _new.c.run_at
)
_lacks_slots = exists().where(  # while our timer stood still nobody made the slot that would be the next one
    JobSchedule.job_id == _missed.job_id,
    func.jsonb_array_length(JobSchedule.lanes) > 0,
    JobSchedule.slots_until < func.date(func.timezone("UTC", _new.c.run_at)),
)
# The missed run of the last slot that the run can be of, unless it belongs to the next one.
ANSWERED = (
    select(_missed.id)
    .join(_new, _new.c.job_id == _missed.job_id)
    .where(
        _this,
        _missed.source == RunSource.MISSED,
        _could_be_its_own.correlate(_missed, _new),
        ~_is_next_ones.correlate(_missed, _new),
        ~_lacks_slots.correlate(_missed, _new),
        ~exists().where(_answer_to.late_for_id == _missed.id),
    )
    .order_by(_missed.slot_at.desc())
    .limit(1)
)
