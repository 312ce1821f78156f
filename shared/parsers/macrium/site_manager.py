"""Macrium Site Manager: its notifications.

Subject  the same for every event, `Site Manager Notification Email` by default, a prefix is possible.
Body     begins with the event, one of a fixed list; a sentence about it follows, on the same line or below.
Seen     8, English. Of backups only the event's name is known, not the text below it.
"""

import re
from dataclasses import dataclass

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.macrium.backup import BACKUP_TYPE, SOFTWARE
from shared.parsers.text import first_label, labels, one_line

_MARK = "site manager notification"
_COMPUTERS = ("computer name", "computer", "agent", "agent name")
_REPOSITORY = re.compile(
    r"(?:Disk space on )?repository (?P<name>\S.{0,300}?)(?: has (?:fallen|become) | is )", re.IGNORECASE
)
_FOOTER = "Please check the Site Manager"


@dataclass(frozen=True, slots=True)
class Event:
    backup_type: str
    status: Status
    kind: Kind = Kind.REGULAR


# The vendor's list is closed: what isn't here is unreadable.
EVENTS = {
    "Backup Successful": Event(BACKUP_TYPE, Status.SUCCESS),
    "Intra-daily Backup Successful": Event(BACKUP_TYPE, Status.SUCCESS),
    "Backup Failed": Event(BACKUP_TYPE, Status.FAILED),
    "Backup Started": Event(BACKUP_TYPE, Status.INFORMATIONAL, Kind.EVENT),
    "Remote Synchronization Successful": Event("Remote synchronization", Status.SUCCESS),
    "Remote Synchronization Failed": Event("Remote synchronization", Status.FAILED),
    "Remote Synchronization Started": Event("Remote synchronization", Status.INFORMATIONAL, Kind.EVENT),
    "Restore Successful": Event("Restore", Status.SUCCESS, Kind.EVENT),
    "Restore Failed": Event("Restore", Status.FAILED, Kind.EVENT),
    "Restore Started": Event("Restore", Status.INFORMATIONAL, Kind.EVENT),
    "Testing Email": Event("Test", Status.INFORMATIONAL, Kind.EVENT),
    "Update Found": Event("Update", Status.INFORMATIONAL, Kind.INFORMATIONAL),
    "Disk Space Low": Event("Repository", Status.WARNING, Kind.INFORMATIONAL),
    "Repository Uncontactable": Event("Repository", Status.WARNING, Kind.INFORMATIONAL),
}


def recognises(mail: Mail) -> bool:
    return _MARK in mail.subject.lower() and "macrium reflect" not in mail.subject.lower()


def parse(mail: Mail) -> Reading:
    text = one_line(mail.body[:20_000])
    name = next((name for name in EVENTS if text.lower().startswith(name.lower())), None)
    if name is None:
        raise UnreadableMail("the body begins with no event that we know")
    event, rest = EVENTS[name], text[len(name) :].strip(" :-.")
    if event.status is Status.SUCCESS and not rest:
        raise UnreadableMail("nothing follows the event: the body was cut", backup_type=event.backup_type)
    about, origin, kind = _subject_matter(mail.body, rest)
    message = rest.partition(_FOOTER)[0].strip()[:1000]
    return Reading(
        software=SOFTWARE,
        backup_type=event.backup_type,
        job_name=about,
        origin=origin,
        kind=event.kind,
        status=event.status,
        objects=(ObjectResult(name=about, type=kind, status=event.status, message=message),) if about else (),
        message=message,
        evidence=(name,),
    )


def _subject_matter(body: str, rest: str) -> tuple[str | None, str | None, str]:
    """Return what the event is about, the machine it stands on, and whether it is a computer or a repository."""
    if found := _REPOSITORY.match(rest):
        name = found["name"]
        server = name.lstrip("\\").partition("\\")[0] if name.startswith("\\\\") else name
        return name, server, "Repository"
    computer = first_label(labels(body), _COMPUTERS)
    return computer, computer, "Computer"


PARSER = Parser(
    name="macrium.site_manager",
    software=SOFTWARE,
    backup_types=tuple(sorted({event.backup_type for event in EVENTS.values()})),
    languages=("en",),
    looks_for='Subject with "Site Manager Notification"; the body begins with the event',
    recognises=recognises,
    parse=parse,
)
