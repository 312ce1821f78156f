"""What all notices of a Synology NAS have in common: the frame around an event, and the NAS that sent it.

Subject  the event, with a prefix that the administrator chose (default the host name) as `[HOST] `, `[HOST]`
         or `HOST `.
Body     the event in a sentence, facts as `Label: value`, and a last line `From HOST` in the NAS's language.
         Relayed by a webhook or the Central Management System the body begins with "A new system event
         occurred on your HOST on 11-02-2026 at 21:28." and may carry `[CMS]` before the event.
"""

import re
from collections.abc import Iterator

from shared.domain.mail import Mail
from shared.parsers.text import one_line

_PREFIX = re.compile(r"\[(?P<prefix>[^\]\n]{1,80})\]\s*(?P<rest>\S.*)")
_RELAYED = re.compile(r"A new system event occurred on your (?P<host>.{1,80}?) on (?P<when>[\d./-]+ at [\d:]+)\.")
_SIGNED = re.compile(r"(?:From|Von|Van|De|Da|Fra) (?P<host>[\w.-]{1,80})")
_FORWARDED = ("re:", "fw:", "fwd:", "aw:", "wg:", "tr:", "doorst:")
_MOST_LINES = 60


def event_lines(mail: Mail) -> Iterator[str]:
    """Yield the lines of the body that may state the event, without a `[CMS]` or `[HOST]` before it."""
    for line in mail.body.split("\n", _MOST_LINES)[:_MOST_LINES]:
        text = one_line(line)
        if text and not _RELAYED.fullmatch(text):
            yield without_prefix(text)


def subject_event(mail: Mail) -> str:
    """Return the subject without `Fwd:` and without a prefix in brackets."""
    return without_prefix(_as_sent(mail.subject))


def _as_sent(subject: str) -> str:
    """Return the subject without what forwarding put before it."""
    sent = one_line(subject)
    while sent.lower().startswith(_FORWARDED):
        sent = sent.partition(":")[2].lstrip()
    return sent


def without_prefix(text: str) -> str:
    match = _PREFIX.fullmatch(text)
    return match["rest"] if match else text


def is_signature(line: str) -> bool:
    return _SIGNED.fullmatch(one_line(line)) is not None


def has_frame(mail: Mail) -> bool:
    """Tell whether the body is framed as only a Synology frames it, so that a plain sentence is its event."""
    lines = [one_line(line) for line in mail.body.split("\n", _MOST_LINES)[:_MOST_LINES]]
    return any(_RELAYED.fullmatch(line) or _SIGNED.fullmatch(line) or "synology" in line.lower() for line in lines)


def nas_of(mail: Mail) -> str | None:
    """Return the NAS that sent the notice: by its signature, the relay's sentence, or the subject's prefix."""
    lines = [one_line(line) for line in mail.body.split("\n", _MOST_LINES)[:_MOST_LINES]]
    for pattern in (_SIGNED, _RELAYED):
        for line in lines:
            if match := pattern.fullmatch(line):
                return match["host"]
    prefix = _PREFIX.fullmatch(_as_sent(mail.subject))
    return prefix["prefix"] if prefix and prefix["prefix"] != "CMS" else None
