"""Mails that are one result: those of one session, and the retries of a run. Pure.

A session is known by its id or its start. A retry belongs to the run before it when that one isn't good and the mail
says that it is a retry, or reports on an object that went wrong; without such evidence two runs stay two runs, and so
do two sessions of different ids of which none says so. Of each object the last attempt counts. What went wrong is
cleared only by a later attempt of the same thing, reported under the same name: silence clears nothing, and neither
does an informational result.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from shared.domain.job_key import JobKey
from shared.domain.names import fold
from shared.domain.reading import ObjectResult
from shared.domain.run_facts import why
from shared.domain.status import Status, badness, worst

SESSION = timedelta(hours=20)  # less than a day: a report that repeats an old start stays a run of its own
RETRY = timedelta(hours=6)  # for a mail that says it is a retry
RERUN = timedelta(hours=1)  # for one that merely reports on an object that went wrong
_CLOCK_IS_WRONG = (timedelta(hours=-14), timedelta(hours=36))  # how long before its mail a session may have begun
_GOOD = frozenset({Status.SUCCESS, Status.INFORMATIONAL})
_CAN_BE_RETRIED = frozenset({Status.WARNING, Status.FAILED})

Key = tuple[JobKey | None, str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What one mail reported. `of` is whose report it is; `retry` its number where the mail says it is one."""

    run_id: int
    at: datetime
    status: Status
    message: str = ""
    objects: tuple[ObjectResult, ...] = ()
    of: JobKey | None = None
    session_id: str | None = None
    started_at: datetime | None = None
    retry: int | None = None
    may_be_retried: bool = True

    @property
    def known_start(self) -> datetime | None:
        """When the session began, where that names the session: a date alone does not, nor does a broken clock."""
        begun = self.started_at
        if begun is None or not _CLOCK_IS_WRONG[0] <= self.at - begun <= _CLOCK_IS_WRONG[1]:
            return None
        return begun

    @property
    def is_explained(self) -> bool:
        """Whether its objects show all that went wrong."""
        shown = worst(thing.status for thing in self.objects if not thing.recovered)
        return self.status in _GOOD or badness(shown) >= badness(self.status)


@dataclass(frozen=True, kw_only=True, slots=True)
class LastResult:
    """An object's last attempt; `recovered_on` is the number of the retry that made it good."""

    key: Key
    result: ObjectResult
    run_id: int
    recovered_on: int | None = None

    @property
    def status(self) -> Status:
        return _status(self.result)


@dataclass(frozen=True, kw_only=True, slots=True)
class Combined:
    """What several attempts come to. `troubles` names what isn't good, to tell whether anything new went wrong."""

    status: Status
    message: str
    objects: tuple[LastResult, ...]
    troubles: frozenset[tuple[Key, Status]]
    recovered_on: int | None


def combine(attempts: Iterable[Attempt]) -> Combined:
    """Return the verdict of one or more attempts, whatever the order they are given in."""
    ordered = sorted(attempts, key=_in_time)
    objects = _last_of_each(ordered)
    cleared = {id(each): number for each in ordered if (number := _cleared_on(each, ordered)) is not None}
    left = [each for each in ordered if not each.is_explained and id(each) not in cleared]
    fine = worst(each.status for each in ordered if each.status in _GOOD)
    status = worst((fine, *(each.status for each in left), *(thing.status for thing in objects)))
    numbers = [*cleared.values(), *(thing.recovered_on for thing in objects if thing.recovered_on)]
    recovered_on = max(numbers, default=None) if status in _GOOD else None
    return Combined(
        status=ordered[0].status if len(ordered) == 1 else status,
        message=_message(ordered, status, left, objects, recovered_on),
        objects=tuple(objects),
        troubles=frozenset(
            [(thing.key, thing.status) for thing in objects if thing.status not in _GOOD]
            + [((each.of, "", ""), each.status) for each in left]
        ),
        recovered_on=recovered_on,
    )


def grouped(attempts: Iterable[Attempt], *, slots: Sequence[tuple[datetime, datetime]] = ()) -> list[list[Attempt]]:
    """Return the attempts that are one result together, in order of time.

    `slots` are the job's (slot, the moment from which a run may be early for it), in order.
    """
    groups: list[list[Attempt]] = []
    for session in _sessions(attempts):
        usual = _Spacing(slots=slots, groups=groups)
        retried = next((group for group in reversed(groups) if _is_retry(session, group, usual)), None)
        if retried is None:
            groups.append(session)
        else:
            retried.extend(session)
    return [sorted(group, key=_in_time) for group in groups]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spacing:
    """How close the job's slots and runs are."""

    slots: Sequence[tuple[datetime, datetime]]
    groups: Sequence[Sequence[Attempt]] = field(default_factory=tuple)

    def is_next_slots(self, last: datetime, at: datetime) -> bool:
        """Tell whether a run at `at` may be that of another slot than one at `last`."""
        opened = sorted(early_from for _, early_from in self.slots)
        return bisect_right(opened, last) < bisect_right(opened, at)

    def rerun_within(self, group: Sequence[Attempt]) -> timedelta:
        """Return how soon a run must come to be another attempt: sooner where runs are close anyway."""
        moments = [at for at, _ in self.slots]
        place = max(1, bisect_left(moments, group[0].at))
        around = moments[place - 1 : place + 2]
        gaps = [later - earlier for earlier, later in pairwise(around)]
        before = [each[-1].at for each in self.groups if each[-1].at < group[0].at]
        if before:
            gaps.append(group[0].at - max(before))
        return min([RERUN, *(gap / 4 for gap in gaps)])


def _is_retry(session: Sequence[Attempt], group: Sequence[Attempt], usual: _Spacing) -> bool:
    at = session[0].at
    so_far = [each for each in group if each.at < at]
    if not so_far or not all(each.may_be_retried for each in (*session, *group)):
        return False
    last = max(each.at for each in so_far)
    if at - last > RETRY or usual.is_next_slots(last, at):
        return False
    before = combine(so_far)
    if before.status not in _CAN_BE_RETRIED:
        return False
    if any(each.retry and each.of == other.of for each in session for other in so_far):
        return True
    if any(each.session_id and other.session_id for each in session for other in so_far):
        return False  # both are named, and differ: another session clears nothing unless it says that it is a retry
    wrong = {key for key, _ in before.troubles if key[1]}
    return at - last <= usual.rerun_within(group) and any(wrong & _keys(each) for each in session)


def _sessions(attempts: Iterable[Attempt]) -> list[list[Attempt]]:
    """Return the sessions in the order in which their first mails came."""
    found: list[list[Attempt]] = []
    for each in sorted(attempts, key=_in_time):
        same = next((known for known in reversed(found) if _is_of_session(each, known)), None)
        if same is None:
            found.append([each])
        else:
            same.append(each)
    return found


def _is_of_session(attempt: Attempt, session: Sequence[Attempt]) -> bool:
    is_near = attempt.at - session[0].at <= SESSION
    return is_near and any(_is_same_session(attempt, other) for other in session)


def _is_same_session(one: Attempt, other: Attempt) -> bool:
    if one.session_id and other.session_id:
        return one.session_id == other.session_id
    return one.known_start is not None and one.known_start == other.known_start


def _in_time(attempt: Attempt) -> tuple[datetime, int, str]:
    return attempt.at, badness(attempt.status), attempt.session_id or ""


def _keys(attempt: Attempt) -> set[Key]:
    return {_key(attempt, thing) for thing in attempt.objects}


def _key(attempt: Attempt, thing: ObjectResult) -> Key:
    return attempt.of, fold(thing.name), fold(thing.type)


def _status(thing: ObjectResult) -> Status:
    return Status.SUCCESS if thing.recovered else thing.status


def _last_of_each(ordered: Sequence[Attempt]) -> list[LastResult]:
    tries: dict[Key, list[tuple[Attempt, ObjectResult]]] = {}
    for attempt in ordered:
        for key, thing in _worst_of_each(attempt).items():
            tries.setdefault(key, []).append((attempt, thing))
    return [_last(key, each) for key, each in tries.items()]


def _worst_of_each(attempt: Attempt) -> dict[Key, ObjectResult]:
    """Return the attempt's objects; of two with one name the worse."""
    found: dict[Key, ObjectResult] = {}
    for thing in attempt.objects:
        known = found.get(key := _key(attempt, thing))
        if known is None or badness(_status(thing)) > badness(_status(known)):
            found[key] = thing
    return found


def _last(key: Key, tries: Sequence[tuple[Attempt, ObjectResult]]) -> LastResult:
    """Return what counts of an object's attempts: the last, of several at one moment the worst."""
    last, was_wrong, recovered_on = tries[0], _status(tries[0][1]) not in _GOOD, None
    for number, (attempt, thing) in enumerate(tries[1:], start=1):
        status, before = _status(thing), _status(last[1])
        proves_nothing = status is Status.INFORMATIONAL or attempt.at == last[0].at
        if proves_nothing and badness(status) < badness(before):
            continue
        if status not in _GOOD:
            was_wrong, recovered_on = True, None
        elif was_wrong and recovered_on is None:
            recovered_on = attempt.retry or number
        last = (attempt, thing)
    return LastResult(key=key, result=last[1], run_id=last[0].run_id, recovered_on=recovered_on)


def _cleared_on(attempt: Attempt, ordered: Sequence[Attempt]) -> int | None:
    """Return the number of the retry that clears a failure which the attempt's objects don't explain, or None."""
    return None if attempt.is_explained else _covered_on(attempt, ordered)


def is_cleared(attempt: Attempt, attempts: Iterable[Attempt]) -> bool:
    """Tell whether a later attempt is about all that this one was about."""
    return _covered_on(attempt, sorted(attempts, key=_in_time)) is not None


def _covered_on(attempt: Attempt, ordered: Sequence[Attempt]) -> int | None:
    if attempt.status not in _CAN_BE_RETRIED:
        return None
    later = [each for each in ordered if each.at > attempt.at and each.of == attempt.of]
    for number, each in enumerate(later, start=1):
        if _covers(each, attempt):
            return each.retry or number
    return None


def _covers(later: Attempt, earlier: Attempt) -> bool:
    """Tell whether the later attempt is about all that the earlier one was about."""
    if later.status not in (Status.SUCCESS, *_CAN_BE_RETRIED):
        return False
    if later.retry:
        return not later.objects or _keys(later) >= _keys(earlier)
    if not later.session_id or later.session_id != earlier.session_id:
        return False  # one start alone may be that of two machines
    return not later.objects if not earlier.objects else _keys(later) >= _keys(earlier)


def _message(
    ordered: Sequence[Attempt],
    status: Status,
    left: Sequence[Attempt],
    objects: Sequence[LastResult],
    recovered_on: int | None,
) -> str:
    if len(ordered) == 1:
        return ordered[0].message
    if recovered_on is not None:
        return f"recovered on retry {recovered_on}"
    if status in _GOOD:
        return next((each.message for each in reversed(ordered) if each.message), "")
    said = next((each.message for each in reversed(left) if each.status is status and each.message), "")
    return said or _words(ordered, objects) or next((each.message for each in reversed(left) if each.message), "")


def _words(ordered: Sequence[Attempt], objects: Sequence[LastResult]) -> str:
    """Return the mail's own words where one mail still tells it all, else those of the worst object."""
    wrong = [thing for thing in objects if thing.status not in _GOOD]
    speaking = {thing.run_id for thing in wrong}
    told = [each for each in ordered if each.run_id in speaking]
    if len(told) == 1 and told[0].message and _wrong_keys(told[0]) == {thing.key for thing in wrong}:
        return told[0].message
    return why([thing.result for thing in objects])


def _wrong_keys(attempt: Attempt) -> set[Key]:
    return {key for key, thing in _worst_of_each(attempt).items() if _status(thing) not in _GOOD}
