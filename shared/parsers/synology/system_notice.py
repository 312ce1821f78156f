"""Synology DSM: notices of the system itself, about storage, sign-ins, the Central Management System, tests.

Subject  the event, see `_notice.py`. Old versions: `… on DiskStation` with "Dear user, … Sincerely, Synology
         DiskStation" in the body.
Each known event has its topic and what it means. An event that isn't known is unreadable, never "fine".
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.synology._notice import event_lines, nas_of, subject_event

SOFTWARE = "Synology DSM"

INFO, W, F = Status.INFORMATIONAL, Status.WARNING, Status.FAILED
# What an event's sentence holds (any case) → topic, verdict. What is worse stands first.
_EVENTS: tuple[tuple[re.Pattern[str], str, Status], ...] = tuple(
    (re.compile(words, re.IGNORECASE), topic, status)
    for words, topic, status in (
        (r"(?:storage pool|volume|pool) .{1,60} (?:has )?crashed", "Storage", F),
        (r"issues occurred to (?P<thing>drive \d+)", "Storage", W),
        (r"(?:storage pool|volume|pool) .{1,60} (?:has )?(?:degraded|become degraded)", "Storage", W),
        (r"running out of available capacity", "Storage", W),
        (r"drive health report on .{1,80} - (?!healthy)\w", "Storage", W),
        (r"drive health report on .{1,80} - healthy", "Storage", INFO),
        (r"consistency check (?:finished|of .{1,80} is complete)", "Storage", INFO),
        (r"finished checking the consistency", "Storage", INFO),
        (r"backup statistics alerts? on (?P<nas>\S+)", "Hyper Backup statistics", W),
        (r"integrity check for .{1,120} is done", "Hyper Backup integrity check", INFO),
        (r"managed server \([^)]{1,80}\) is offline", "CMS", INFO),
        (r"is unable to connect to the CMS host", "CMS", INFO),
        (r"new login to your synology", "Sign-in", INFO),
        (r"detected a new login behavior", "Sign-in", INFO),
        (r"test message from (?P<nas>\S+)", "Test", INFO),
    )
)
_FRAMES = ("a new system event occurred on your ", "sincerely, synology diskstation", "sincerely, synology nas")
_OTHERS = ("active backup for", "backup task", "c2 cloud backup", "datensicherung", "account protection", "packages on")


def recognises(mail: Mail) -> bool:
    subject = subject_event(mail)
    text = f"{subject}\n{mail.body[:3000]}".lower()
    if any(other in text for other in _OTHERS):
        return False
    return _event(subject) is not None or any(frame in text for frame in _FRAMES)


def parse(mail: Mail) -> Reading:
    for text in (subject_event(mail), *event_lines(mail)):
        if found := _event(text):
            match, topic, status = found
            return _reading(mail, text, match, topic, status)
    raise UnreadableMail("this event of the NAS isn't known", origin=nas_of(mail))


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


def _event(text: str) -> tuple[re.Match[str], str, Status] | None:
    for pattern, topic, status in _EVENTS:
        if match := pattern.search(text[:1000]):
            return match, topic, status
    return None


PARSER = Parser(
    name="synology.system_notice",
    software=SOFTWARE,
    backup_types=("Storage", "CMS", "Sign-in", "Hyper Backup statistics", "Hyper Backup integrity check", "Test"),
    languages=("en",),
    looks_for="“A new system event occurred on your NAS”, or an event of DSM in the subject",
    recognises=recognises,
    parse=parse,
)
