"""Synology DSM: notices of the system itself, about storage, sign-ins, the Central Management System, tests.

Subject  the event, see `_notice.py`. Old versions: `… on DiskStation` with "Dear user, … Sincerely, Synology
         DiskStation" in the body.
Each known event has its topic and what it means. An event that isn't known is unreadable, never "fine".
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status, badness
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.synology import account_protection, hyper_backup, updates
from shared.parsers.synology._active_backup import is_active_backup
from shared.parsers.synology._notice import event_lines, has_frame, nas_of, subject_event

SOFTWARE = "Synology DSM"

INFO, W, F = Status.INFORMATIONAL, Status.WARNING, Status.FAILED
_Event = tuple[re.Pattern[str], str, Status]


def _table(*events: tuple[str, str, Status]) -> tuple[_Event, ...]:
    return tuple((re.compile(words, re.IGNORECASE), topic, status) for words, topic, status in events)


# What an event's sentence holds (any case) → topic, verdict. What is worse stands first.
_EVENTS = _table(
    (r"issues occurred to (?P<thing>drive \d+)", "Storage", W),
    (r"drive health report on (?P<nas>\S{1,80}) - (?!healthy)\w", "Storage", W),
    (r"drive health report on (?P<nas>\S{1,80}) - healthy", "Storage", INFO),
    (r"consistency check (?:finished on (?P<nas>[\w.-]{1,80})|of .{1,80} is complete)", "Storage", INFO),
    (r"(?P<nas>[\w.-]{1,80}) has finished checking the consistency", "Storage", INFO),
    (r"backup statistics alerts? on (?P<nas>\S+)", "Hyper Backup statistics", W),
    (r"integrity check for .{1,120} (?:has )?failed", "Hyper Backup integrity check", F),
    (r"integrity check for .{1,120} is done", "Hyper Backup integrity check", INFO),
    (r"managed server \([^)]{1,80}\) is offline", "CMS", INFO),
    (r"(?P<nas>[\w.-]{1,80}) is unable to connect to the CMS host", "CMS", INFO),
    (r"new login to your synology", "Sign-in", INFO),
    (r"dsm has detected a new login behavior", "Sign-in", INFO),
)
# Any storage says these: they are a Synology's only inside its frame.
_FRAMED_EVENTS = _table(
    (r"(?:storage pool|volume|pool) .{1,60} (?:has )?crashed", "Storage", F),
    (r"(?:storage pool|volume|pool) .{1,60} (?:has )?(?:degraded|become degraded)", "Storage", W),
    (r"running out of available capacity", "Storage", W),
)
_TEST = re.compile(r"test message from (?P<nas>\S+)", re.IGNORECASE)
_TROUBLE = re.compile(
    r"\b(?:fail|error|corrupt|damag|inconsisten|mismatch|crash|degrad|abnormal|bad sector|not\b)|n't\b", re.IGNORECASE
)
_NO_TROUBLE = re.compile(
    r"\b(?:no|0|without)(?: \w+)? (?:errors?|failures?|inconsistenc(?:y|ies)|mismatch(?:es)?|bad sectors?)\b",
    re.IGNORECASE,
)
_CHECKS = ("Storage", "Hyper Backup integrity check")
_FRAMES = ("a new system event occurred on your ", "sincerely, synology diskstation", "sincerely, synology nas")
_OTHERS = (is_active_backup, hyper_backup.recognises, updates.recognises, account_protection.recognises)
_LONGEST = 1_000


def recognises(mail: Mail) -> bool:
    subject = subject_event(mail)
    if any(of_another_parser(mail) for of_another_parser in _OTHERS):
        return False
    text = mail.body[:3000].lower()
    return _event(subject, framed=has_frame(mail)) is not None or any(frame in text for frame in _FRAMES)


def parse(mail: Mail) -> Reading:
    framed = has_frame(mail)
    texts = (subject_event(mail), *event_lines(mail))
    found = [(text, event) for text in texts if (event := _event(text, framed=framed))]
    if not found:
        raise UnreadableMail("this event of the NAS isn't known", origin=nas_of(mail))
    text, (match, topic, status) = max(found, key=lambda each: badness(each[1][2]))
    if status is INFO and topic in _CHECKS:
        # A check that is done says in its next sentence what it found.
        if not framed:
            raise UnreadableMail("the body is cut before its end", backup_type=topic, origin=nas_of(mail))
        if _TROUBLE.search(_NO_TROUBLE.sub("", "\n".join(texts))):
            status = W
    return _reading(mail, text, match, topic, status)


def _reading(mail: Mail, text: str, match: re.Match[str], topic: str, status: Status) -> Reading:
    parts = match.groupdict()
    thing = parts.get("thing")
    return Reading(
        software=SOFTWARE,
        backup_type=topic,
        job_name=f"Synology {topic}",
        origin=nas_of(mail) or parts.get("nas"),
        kind=Kind.EVENT if topic == "Test" else Kind.INFORMATIONAL,
        status=status,
        message=text,
        objects=(ObjectResult(name=thing, type="Drive", status=status, message=text),) if thing else (),
        evidence=(match[0],),
    )


def _event(text: str, *, framed: bool) -> tuple[re.Match[str], str, Status] | None:
    for pattern, topic, status in (*_FRAMED_EVENTS, *_EVENTS) if framed else _EVENTS:
        if match := pattern.search(text[:_LONGEST]):
            return match, topic, status
    match = _TEST.fullmatch(text[:_LONGEST])
    return (match, "Test", INFO) if match else None


PARSER = Parser(
    name="synology.system_notice",
    software=SOFTWARE,
    backup_types=("Storage", "CMS", "Sign-in", "Hyper Backup statistics", "Hyper Backup integrity check", "Test"),
    languages=("en",),
    looks_for="“A new system event occurred on your NAS”, or an event of DSM in the subject",
    recognises=recognises,
    parse=parse,
)
