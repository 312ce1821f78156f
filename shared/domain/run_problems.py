"""What exactly is wrong with a run, problem by problem. Pure."""

from collections.abc import Iterable, Sequence

from shared.domain.attempts import Attempt, combine, is_cleared
from shared.domain.overrides import GOOD, Problem
from shared.domain.own_words import says_more
from shared.domain.run_facts import why
from shared.domain.status import Status, badness, worst

ABSENT = "no longer in the report"


def problems_of_run(
    status: Status, message: str, found: Iterable[Problem], *, names: Iterable[str] = ()
) -> tuple[Problem, ...]:
    """Return all that is wrong with a run of this verdict: what was `found`, and what the mail says beside it.

    `names` may stand in the message without making it say more.
    """
    problems = tuple(found)
    if status not in GOOD and says_more(message, problems, names):
        return (*problems, Problem(status=status, text=message))
    return with_the_rest(status, message, problems)


def with_the_rest(status: Status, message: str, found: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return what was `found`; where that doesn't explain a verdict, the run's message does.

    So a run that isn't good has a problem, always.
    """
    problems = tuple(found)
    explained = worst(problem.status for problem in problems)
    if status in GOOD or badness(explained) >= badness(status):
        return problems
    return (*problems, Problem(status=status, text=message))


def problems_of_attempts(attempts: Sequence[Attempt]) -> list[Problem]:
    """Return what the mails of one run left wrong: objects by their last attempt, and what no object explains."""
    combined = combine(attempts)
    objects = [
        Problem(status=last.status, text=last.result.message, object_name=last.result.name)
        for last in combined.objects
        if last.status not in GOOD
    ]
    unexplained = {(key[0], status) for key, status in combined.troubles if not key[1] and not key[2]}
    said = [
        Problem(status=each.status, text="" if each.message == why(each.objects) else each.message)
        for each in attempts
        if _says_more(each, attempts) or (not each.is_explained and (each.of, each.status) in unexplained)
    ]
    return objects + said


def absence_of(name: str) -> Problem:
    return Problem(status=Status.WARNING, text=ABSENT, object_name=name, is_absence=True)


def _says_more(attempt: Attempt, attempts: Sequence[Attempt]) -> bool:
    """Tell whether a mail that its objects explain says more than they do, and no later one clears that."""
    if attempt.status in GOOD or not attempt.is_explained or attempt.message == why(attempt.objects):
        return False
    bad = [
        Problem(status=each.status, text=each.message, object_name=each.name)
        for each in attempt.objects
        if each.status not in GOOD and not each.recovered
    ]
    names = (attempt.of.job_name,) if attempt.of else ()
    return says_more(attempt.message, bad, names) and not is_cleared(attempt, attempts)
