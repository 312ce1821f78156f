"""Texts without what is another one each night: numbers, times, addresses, paths and names. Pure."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from shared.domain.error_codes import LETTER, MARKED, UNIT, with_marks, without_marks

SHORTEST_NAME = 3  # of an object; a shorter one is too often a part of something else
HOLE = "#"
OF_HOW_MANY = re.compile(r" \(\d+ of \d+\)$")  # said by `run_facts.why`

_IN_PATH = r"[^\s\"'<>|,;()\[\]]"
_VARYING = re.compile(
    rf"""
    (?P<code> {MARKED} )
    | (?<!\w)(?P<quote>["'])[^"']+(?P=quote)(?!\w) | [“„«‘][^”“»’]+[”“»’]
    | [a-z]+://[\s\S]+
    | [^\s@"<>(),;:]+@[\w.-]+
    | (?<![\w:])(?:[\da-f]{{0,4}}:){{2,7}}[\da-f]{{0,4}}(?![\w:])
    | \\\\{_IN_PATH}+ | (?<!\w)[a-z]:(?: [\\/]{_IN_PATH}* | (?![\w:]) ) | (?<![\w/.])~?/[\w.@~]{_IN_PATH}*
    | (?<![\w.-])[\w.-]+(?: \\[\w.@$-]+ | (?:/[\w.@-]+){{2,}} ){_IN_PATH}*
    | (?<![\w.-])(?!\S*(?:exception|error)\b)[a-z\d_-]+(?:\.[a-z\d_-]+)*\.[a-z]{{2,}}(?!\w) | \{HOLE}(?:\.[a-z\d_-]+)+
    | (?<![{LETTER}\d_-])(?:[{LETTER}_]+[-_.])*[{LETTER}_]*\d[{LETTER}\d_]*(?:[-.,:/][{LETTER}\d_]+)*%?
    | \d+
    """,
    re.IGNORECASE | re.VERBOSE,
)
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d")
_TIME = re.compile(r"(?:19|20)\d\d|\d:\d\d")
_HOLES = re.compile(rf"{HOLE}(?:[\s.,:;/()+-]*{HOLE})+")

_DAY = re.compile(r"\W?\d\d?(?:st|nd|rd|th|\.)?,?", re.IGNORECASE)
_YEAR_OR_CLOCK = re.compile(r"(?:19|20)\d\d\W*|\d\d?:\d\d\S*")
_MONTH = re.compile(rf"\W?[{LETTER}]{{3,10}}[.,]?", re.IGNORECASE)
_WEEKDAY = re.compile(
    r"\W?(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
    r"|(?:maan|dins|woens|donder|vrij|zater|zon)dag|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch"
    r"|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche)[.,]?",
    re.IGNORECASE,
)
_AFTER_NUMBER = re.compile(rf"{UNIT}(\W*)", re.IGNORECASE)


def without_varying(text: str, names: Iterable[str]) -> str:
    """Return the text with a hole for each part that varies, and for the names. Words and codes of errors stay."""
    text = OF_HOW_MANY.sub("", text)
    for name in sorted(names, key=len, reverse=True):
        if len(name) >= SHORTEST_NAME and name in text:
            text = _without_name(text, name)
    if _NUMBER.search(text):
        said = _without_numbers(with_marks(text).split(" "))
    else:
        said = [_without_parts(word) for word in text.split(" ")]
    return _HOLES.sub(HOLE, without_marks(" ".join(said)))


def _without_name(text: str, name: str) -> str:
    """Return the text without the name where that is a word: not the `data` of a database."""
    said, *others = text.split(name)
    for other in others:
        is_part = said[-1:].isalnum() or other[:1].isalnum()
        said += (name if is_part else HOLE) + other
    return said


def _without_numbers(words: Sequence[str]) -> list[str]:
    """Return the words without what varies, with dates and units of measure as parts of the numbers beside them."""
    said: list[str] = []
    has_date = any(map(_TIME.search, words))
    for at, word in enumerate(words):
        if has_date and _is_in_date(words, at):
            said.append(_WORD.sub(HOLE, word))
        elif at and said[-1][-1:] == HOLE and (unit := _AFTER_NUMBER.fullmatch(word)):
            said[-1] += unit[1]
        else:
            said.append(_without_parts(word))
    return said


def _is_in_date(words: Sequence[str], at: int) -> bool:
    if not _WEEKDAY.fullmatch(words[at]):
        return _is_month(words, at)
    return at + 1 < len(words) and (_NUMBER.match(words[at + 1]) is not None or _is_month(words, at + 1))


def _is_month(words: Sequence[str], at: int) -> bool:
    """Whether the word stands where months stand in dates, whatever its language."""
    if not _MONTH.fullmatch(words[at]):
        return False
    before, after, then = words[at - 1] if at else "", *(*words[at + 1 : at + 3], "", "")[:2]
    is_inside = _DAY.fullmatch(before) and _YEAR_OR_CLOCK.fullmatch(after)
    return bool(is_inside or (_DAY.fullmatch(after) and _YEAR_OR_CLOCK.fullmatch(then)))


@lru_cache(maxsize=16384)  # most words of errors are the same few
def _without_parts(word: str) -> str:
    return _VARYING.sub(_code_or_hole, word)


def _code_or_hole(found: re.Match[str]) -> str:
    return found[0] if found["code"] else HOLE
