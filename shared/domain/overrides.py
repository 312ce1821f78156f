"""Which known problems count as success. Pure.

A run counts as success only if each of its problems is covered. Nothing is covered by what an override does not say:
what failed, never came or couldn't be read only where that was chosen, and an object that is missing from its report
only by a text that says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from shared.domain.names import fold as folded
from shared.domain.override_words import MatchMode, OverrideLevel
from shared.domain.status import Status, badness

GOOD = frozenset({Status.SUCCESS, Status.INFORMATIONAL})
NEVER_CAME = frozenset({Status.MISSED, Status.OVERDUE})
TO_BE_CHOSEN = frozenset({Status.FAILED, Status.UNREADABLE, *NEVER_CAME})  # all but warnings
fold = lru_cache(maxsize=4096)(folded)  # products repeat themselves
_MODES = (MatchMode.CONTAINS, MatchMode.STARTS_WITH, MatchMode.ENDS_WITH, MatchMode.EXACT)  # the narrowest last


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong with a run: an object, or what the mail says where no object explains it.

    `is_absence` is an object that the report used to list and lists no more.
    """

    status: Status
    text: str
    object_name: str | None = None
    is_absence: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TroubledRun:
    """A run that is not good, with what is wrong with it."""

    run_id: int
    job_id: int
    software: str
    backup_type: str
    at: datetime
    status: Status
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """An override of many runs. None matches anything; `covers` holds those of `TO_BE_CHOSEN` that were chosen.

    It is about runs from `starts_at` until `ends_at`, whenever they are judged.
    """

    override_id: int
    level: OverrideLevel
    job_id: int | None
    object_name: str | None
    software: str | None
    backup_type: str | None
    status: Status | None
    mode: MatchMode
    text: str
    covers: frozenset[Status]
    starts_at: datetime
    ends_at: datetime
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Covered:
    """The override that a run shows, which is that of its worst problem, and all that it takes."""

    shown: Rule
    rules: tuple[Rule, ...]


def covering(run: TroubledRun, rules: Iterable[Rule]) -> Covered | None:
    """Return what makes the run count as success, None where a problem is left; the order of `rules` is irrelevant."""
    if not run.problems:
        return None
    ranked = sorted((rule for rule in rules if is_about(rule, run)), key=_rank, reverse=True)
    found = [next((rule for rule in ranked if covers(rule, problem)), None) for problem in worst_first(run.problems)]
    chosen = [rule for rule in found if rule is not None]
    if len(chosen) < len(found):
        return None
    return Covered(shown=chosen[0], rules=tuple(dict.fromkeys(chosen)))


def is_about(rule: Rule, run: TroubledRun) -> bool:
    """Whether the run is of the rule's job or product, and of its time."""
    if rule.level is OverrideLevel.RUN or not rule.starts_at <= run.at < rule.ends_at:
        return False
    if rule.level is OverrideLevel.OBJECT:
        return rule.job_id == run.job_id
    return rule.software in (None, run.software) and rule.backup_type in (None, run.backup_type)


def covers(rule: Rule, problem: Problem) -> bool:
    """Whether the rule means this problem, of a run that it is about."""
    if problem.status in TO_BE_CHOSEN and problem.status not in rule.covers:
        return False
    if rule.status not in (None, problem.status):
        return False
    if rule.object_name is not None and fold(rule.object_name) != fold(problem.object_name or ""):
        return False
    wanted = fold(rule.text)
    if not wanted:
        return rule.level is OverrideLevel.OBJECT and not problem.is_absence
    return matches(rule.mode, wanted, fold(problem.text))


def matches(mode: MatchMode, wanted: str, text: str) -> bool:
    """Whether a folded text has, in that way, the folded text that is wanted."""
    match mode:
        case MatchMode.CONTAINS:
            return wanted in text
        case MatchMode.EXACT:
            return wanted == text
        case MatchMode.STARTS_WITH:
            return text.startswith(wanted)
        case MatchMode.ENDS_WITH:
            return text.endswith(wanted)


def worst_first(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda each: (-badness(each.status), fold(each.object_name or ""), fold(each.text)))


def _rank(rule: Rule) -> tuple[object, ...]:
    """The level first, then the most specific, then the newest."""
    return (
        rule.level is OverrideLevel.OBJECT,
        rule.object_name is not None,
        bool(fold(rule.text)),
        _MODES.index(rule.mode),
        rule.status is not None,
        rule.backup_type is not None,
        rule.software is not None,
        len(fold(rule.text)),
        rule.created_at,
        rule.override_id,
    )
