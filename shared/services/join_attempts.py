"""Makes one result of the mails that are one: those of a session, and retries.

All runs near the new one are grouped anew, so that the order in which mails come in decides nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, delete, or_, select, update
from sqlalchemy.orm import Session, aliased

from shared.domain.attempts import RETRY, SESSION, Attempt, Combined, combine, grouped
from shared.domain.cause import cause_of
from shared.domain.names import fold
from shared.domain.run import RunSource
from shared.domain.run_problems import problems_of_attempts
from shared.domain.status import badness
from shared.models.attempts import as_attempts, runs_with_readings
from shared.models.jobs import JobRun, VanishedObject
from shared.models.mail import MailReading
from shared.models.schedules import JobSlot
from shared.services.apply_overrides import apply_overrides
from shared.services.judge_run import absence, judge_later, open_findings, verdict
from shared.services.link_tickets import look_again_at, move_links
from shared.services.vanished import look_again

REPORTED = (RunSource.MAIL, RunSource.PUSHED)
_OF_A_MAIL = (
    "reading_id",
    "matched_by",
    "source",
    "run_at",
    "started_at",
    "ended_at",
    "size_bytes",
    "is_placed",
    "is_history",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """The runs around a new one, and how they were grouped until now."""

    runs: Mapping[int, JobRun]
    attempts: Mapping[int, Attempt]
    head_of: Mapping[int, int]

    def members(self, head_id: int) -> list[Attempt]:
        return [self.attempts[run_id] for run_id, head in self.head_of.items() if head == head_id]


def join_attempts(db: Session, job_id: int, run_id: int, *, go_live_at: datetime | None) -> int | None:
    """Group the runs around a new one anew; return the run that shows its mail now, or None when it stays alone.

    The job is locked. Reviews and links stay with the run that was there first.
    """
    known = _known(db, job_id, run_id)
    groups = grouped(known.attempts.values(), slots=_slots(db, job_id, known.runs[run_id].run_at))
    changed = [group for group in _affected(groups, known, run_id) if not _is_as_before(group, known)]
    own = next(group for group in groups if any(each.run_id == run_id for each in group))
    if not changed:
        return None
    _lock(db, (each.run_id for group in changed for each in group))
    heads = {id(group): _settle(db, group, known, new_id=run_id, go_live_at=go_live_at) for group in changed}
    apply_overrides(db, [each.run_id for group in changed for each in group])
    judge_later(db, job_id, after=min(group[0].at for group in changed))
    return None if len(own) == 1 else heads[id(own)]


def _lock(db: Session, run_ids: Iterable[int]) -> None:
    """Lock the runs in the order in which a review does, and see who has reviewed them meanwhile."""
    runs = select(JobRun).where(JobRun.id.in_(run_ids)).order_by(JobRun.id).with_for_update()
    db.scalars(runs.execution_options(populate_existing=True)).all()


def _known(db: Session, job_id: int, run_id: int) -> _Known:
    new = db.get_one(JobRun, run_id)
    near = db.execute(_near(new)).all()
    heads = {run.attempt_of_id or run.id for run, _ in near}
    of_heads = or_(JobRun.id.in_(heads), JobRun.attempt_of_id.in_(heads))
    mates = db.execute(_reported(job_id).where(of_heads)).all()
    rows = {row[0].id: row for row in (*near, *mates)}
    return _Known(
        runs={each: row[0] for each, row in rows.items()},
        attempts=as_attempts(db, rows.values()),
        head_of={each: row[0].attempt_of_id or each for each, row in rows.items()},
    )


def _near(new: JobRun) -> Select[JobRun, MailReading]:
    """Return the query of the runs within reach of a retry, or of the same session, with their readings."""
    mine = aliased(MailReading)
    is_near = JobRun.run_at.between(new.run_at - 2 * RETRY, new.run_at + 2 * RETRY)
    is_of_session = and_(
        JobRun.run_at.between(new.run_at - SESSION, new.run_at + SESSION),
        or_(MailReading.session_id == mine.session_id, JobRun.started_at == new.started_at),
    )
    return _reported(new.job_id).outerjoin(mine, mine.id == new.reading_id).where(or_(is_near, is_of_session))


def _reported(job_id: int) -> Select[JobRun, MailReading]:
    reported = runs_with_readings().where(JobRun.job_id == job_id, JobRun.source.in_(REPORTED))
    return reported.execution_options(populate_existing=True)


def _slots(db: Session, job_id: int, at: datetime) -> list[tuple[datetime, datetime]]:
    around = JobSlot.slot_at.between(at - timedelta(days=2), at + timedelta(days=2))
    found = select(JobSlot.slot_at, JobSlot.early_from).where(JobSlot.job_id == job_id, ~JobSlot.is_silence, around)
    return [(slot_at, early_from) for slot_at, early_from in db.execute(found.order_by(JobSlot.slot_at))]


def _affected(groups: Sequence[Sequence[Attempt]], known: _Known, new_id: int) -> Sequence[Sequence[Attempt]]:
    """Return the groups within reach of the new run, and those that had something in common with them."""
    at = known.attempts[new_id].at
    found = [group for group in groups if any(abs(each.at - at) <= RETRY or each.run_id == new_id for each in group)]
    while True:
        heads = {known.head_of[each.run_id] for group in found for each in group}
        more = [group for group in groups if any(known.head_of[each.run_id] in heads for each in group)]
        if len(more) == len(found):
            return found
        found = more


def _is_as_before(group: Sequence[Attempt], known: _Known) -> bool:
    heads = {known.head_of[each.run_id] for each in group}
    return len(heads) == 1 and len(known.members(heads.pop())) == len(group)


def _settle(db: Session, group: Sequence[Attempt], known: _Known, *, new_id: int, go_live_at: datetime | None) -> int:
    """Make the runs of a group one: its head carries the first mail and the verdict of all."""
    runs = [known.runs[each.run_id] for each in group]
    head = _head(runs, known, new_id)
    was_head = known.head_of[head.id] == head.id
    before = known.members(head.id) if was_head else []
    for run, attempt in zip(runs, group, strict=True):
        if run is not head and known.head_of[run.id] != head.id:
            _demote(db, run, attempt, head)
    head.attempt_of_id = None
    if runs[0].run_at < head.run_at:
        _exchange_mails(db, head, runs[0], group)
    head.is_history = go_live_at is not None and max(each.at for each in group) < go_live_at
    _give_verdict(db, head, combine(group), is_new=_is_new(group, before))
    return head.id


def _head(runs: Sequence[JobRun], known: _Known, new_id: int) -> JobRun:
    """Return the run that was there first: people have reviewed it and linked things to it."""
    heads = [run for run in runs if known.head_of[run.id] == run.id]
    return next((run for run in heads if run.id != new_id), heads[0] if heads else runs[0])


def _demote(db: Session, run: JobRun, attempt: Attempt, head: JobRun) -> None:
    """Make the run an attempt of `head`, which takes over what is linked to it."""
    slot_at, is_late, late_for_id = run.slot_at, run.is_late, run.late_for_id
    run.raw_status = run.status = attempt.status
    run.message, run.recovered_on = attempt.message, None
    run.reviewed_at = run.reviewed_by = run.review_id = None
    run.slot_at, run.late_for_id, run.is_late = None, None, False
    run.attempt_of_id = head.id
    db.flush()  # it gives its slot back before the head takes it
    if slot_at is not None and head.slot_at is None:
        head.slot_at, head.is_late, head.late_for_id = slot_at, is_late, late_for_id
    db.execute(update(JobSlot).where(JobSlot.run_id == run.id).values(run_id=head.id))
    move_links(db, run.id, head.id)
    _move_findings(db, run.id, head.id)


def _move_findings(db: Session, run_id: int, head_id: int) -> None:
    """Keep what people confirmed; the rest is found again."""
    there = {fold(name) for name in db.scalars(select(VanishedObject.name).where(VanishedObject.run_id == head_id))}
    of_run = select(VanishedObject).where(VanishedObject.run_id == run_id)
    for finding in db.scalars(of_run.where(VanishedObject.confirmed_at.is_not(None))):
        if fold(finding.name) not in there:
            finding.run_id = head_id
    db.flush()  # what was moved must not be deleted
    db.execute(delete(VanishedObject).where(VanishedObject.run_id == run_id))


def _exchange_mails(db: Session, head: JobRun, first: JobRun, group: Sequence[Attempt]) -> None:
    """Let the head carry the group's first mail."""
    own = next(each for each in group if each.run_id == head.id)
    of_head, of_first = _mail_of(head), _mail_of(first)
    first.reading_id = None
    db.flush()  # a reading has one run, at every moment
    _set(head, of_first)
    db.flush()
    _set(first, of_head)
    first.raw_status = first.status = own.status
    first.message = own.message


def _mail_of(run: JobRun) -> dict[str, object]:
    return {name: getattr(run, name) for name in _OF_A_MAIL}


def _set(run: JobRun, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        setattr(run, name, value)


def _give_verdict(db: Session, head: JobRun, after: Combined, *, is_new: bool) -> None:
    """Write the verdict of all attempts. What got worse, or went wrong anew, is to be reviewed again."""
    was = (head.status, head.raw_status, head.message, head.recovered_on)
    head.raw_status, head.recovered_on = after.status, after.recovered_on
    db.flush()  # its findings are looked for in the rows
    is_new |= look_again(db, head.job_id, head.id, run_at=head.run_at).added
    gone = open_findings(db, head.id)
    head.status, head.message = verdict(after.status, gone), after.message or absence(gone)
    if is_new or badness(head.status) > badness(was[0]):
        head.reviewed_at = head.reviewed_by = head.review_id = None
    if was != (head.status, head.raw_status, head.message, head.recovered_on) or is_new:
        head.verdict_version += 1
        look_again_at(db, head.id)


def _is_new(after: Sequence[Attempt], before: Sequence[Attempt]) -> bool:
    """Tell whether something is wrong now that was not before, be it another error of the same thing."""
    if not before or _wrong(after) - _wrong(before):
        return True
    return bool(_errors(after) - _errors(before))


def _wrong(attempts: Sequence[Attempt]) -> set[object]:
    return {key for key, _ in combine(attempts).troubles}


def _errors(attempts: Sequence[Attempt]) -> set[tuple[str, str]]:
    """Return what the mails leave wrong as errors are compared: what varies each night makes none."""
    found = ((each.object_name or "", each.text) for each in problems_of_attempts(attempts))
    return {(fold(name), cause_of(text, names=(name,))) for name, text in found if text.strip()}
