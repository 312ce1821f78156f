"""Subjects: `CUSTOMER [Failed] Nightly (3 objects) 1 failed`, with all or some of these parts.

The administrator may change the template, so each part is optional: only a known status word between
brackets, or the count of objects, makes a subject ours.
"""

import re
from dataclasses import dataclass

from shared.domain.mail import Mail
from shared.domain.status import Status, worst
from shared.parsers.text import fold, wall_clock
from shared.parsers.veeam._words import status_of

_BRACKET = re.compile(r"\[(?P<word>[^\[\]]{1,40})\]")
_COUNT = re.compile(r"\((?P<count>\d{1,7}) (?P<unit>objects?|machines?|VMs?|instances?|hosts?)\)")
_M365_ISSUES = re.compile(r", (?P<count>\d{1,7}) issues?")
_ISSUES = re.compile(r"(?P<count>\d{1,7}) (?P<word>failed|errors?|warnings?)\b", re.IGNORECASE)
_FORWARDED = frozenset({"fw", "fwd", "re", "aw", "wg", "tr", "i", "r", "doorst", "antw"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """The parts of a subject; empty where it lacks them."""

    prefix: str = ""  # a customer or site, put before the bracket by the administrator
    word: str = ""
    name: str = ""
    unit: str = ""
    issues: str = ""

    @property
    def status(self) -> Status | None:
        return status_of(self.word)

    @property
    def is_counted(self) -> bool:
        """Say whether this has the default form, which no other product uses: a bracket, a name, a count."""
        return bool(self.word and self.name and self.unit)

    @property
    def is_of_m365(self) -> bool:
        return self.is_counted and _M365_ISSUES.match(self.issues) is not None

    @property
    def issues_status(self) -> Status | None:
        """Return what the counted issues at the end prove ("1 failed"), or None when they prove nothing."""
        found = [
            Status.WARNING if match["word"].lower().startswith("warning") else Status.FAILED
            for match in _ISSUES.finditer(self.issues)
            if int(match["count"])
        ]
        if (m365 := _M365_ISSUES.match(self.issues)) and int(m365["count"]):
            found.append(Status.WARNING)
        return worst(found) if found else None


def subject_of(mail: Mail) -> Subject:
    """Return the parts of a mail's subject."""
    text = " ".join(mail.subject.split())
    counts = list(_COUNT.finditer(text))
    end = counts[-1].start() if counts else len(text)
    bracket = _bracket(text[:end])
    if bracket is None:
        return Subject()
    return Subject(
        prefix=_prefix(text[: bracket.start()]),
        word=bracket["word"].strip(),
        name=text[bracket.end() : end].strip(),
        unit=counts[-1]["unit"].lower() if counts else "",
        issues=text[counts[-1].end() :] if counts else "",
    )


def _bracket(text: str) -> re.Match[str] | None:
    """Return the first bracket with a status word, else the first one: `[CUSTOMER] [Failed] Nightly`."""
    brackets = list(_BRACKET.finditer(text))
    known = (bracket for bracket in brackets if status_of(bracket["word"]) is not None)
    return next(known, brackets[0] if brackets else None)


def _prefix(text: str) -> str:
    """Return who stands before the bracket, without reply marks, gateways' tags and moments."""
    words = [word for word in _BRACKET.sub(" ", text).split() if fold(word.rstrip(":")) not in _FORWARDED]
    prefix = " ".join(words).strip(" -:|*")
    return "" if wall_clock(prefix) else prefix
