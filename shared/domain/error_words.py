"""What two errors have in common: their words, without what is another one each night. Pure, and linear in the text."""

import re

from shared.domain.names import fold

LONGEST = 300

_GUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")
_HEX = re.compile(r"\b0x[0-9a-f]+\b")
_NUMBERS = re.compile(r"\d+(?:[.,:/-]\d+)*")  # amounts, times, dates, addresses, and numbers in names
_ROW = re.compile(r"#(?: ?#)+")  # a date and a time may be written as one or as two


def same_error(text: str, *, name: str = "") -> str:
    """Return the text as errors are compared; `name` is the object that it is about, which may stand in it."""
    folded = fold(text)
    if name:
        folded = folded.replace(fold(name), "@")
    for pattern in (_GUID, _HEX, _NUMBERS, _ROW):
        folded = pattern.sub("#", folded)
    return folded[:LONGEST]
