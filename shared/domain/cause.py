"""What two errors have in common: their words, without what is another one each night. Pure.

Words stay, in whatever language they are, and so do codes of errors: they say which error it is. Two errors that are
taken for different ones cost a line, two that are taken for the same one a look that somebody doesn't take; so in doubt
a word stays.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from unicodedata import normalize

from shared.domain.names import fold
from shared.domain.overrides import Problem
from shared.domain.run_problems import with_the_rest
from shared.domain.status import Status, worst
from shared.domain.varying import HOLE, OF_HOW_MANY, without_varying

LONGEST = 300  # letters of an error that are looked at

_VERDICTS = frozenset(status.value for status in Status)
_WORD = re.compile(r"[^\W\d_]{2,}")


@lru_cache(maxsize=8192)
def cause_of(text: str, *, names: tuple[str, ...] = ()) -> str:
    """Return the text as errors are compared; `names` are those of the things it is about, which may stand in it.

    What was returned once is returned for itself.
    """
    folded = tuple(fold(name) for name in names)
    said, before = fold(text)[:LONGEST], None
    while said != before:
        said, before = fold(without_varying(said, folded))[:LONGEST], said
    return said


def in_common(text: str, *, names: Iterable[str] = ()) -> str:
    """Return for people to read what errors of the same cause share with this one: "Only … free on …"."""
    said = " ".join(normalize("NFKC", text).split())[:LONGEST]
    return without_varying(said, names).replace(HOLE, "…")


def telling(status: Status, message: str, objects: Iterable[Problem]) -> tuple[str, ...]:
    """Return the texts that say why a run is as bad as it is, each once: of its worst objects, else its own."""
    wrong = with_the_rest(status, message, objects)
    level = worst(problem.status for problem in wrong)
    said = (problem.text for problem in wrong if problem.status is level and says_something(problem.text))
    return tuple(dict.fromkeys(said)) or ((message,) if says_something(message) else ())


def says_something(text: str) -> bool:
    """Tell whether the text is more than names and numbers, or a verdict behind them."""
    verdict = OF_HOW_MANY.sub("", text).rpartition(": ")[2].casefold()
    return verdict not in _VERDICTS and _WORD.search(text) is not None
