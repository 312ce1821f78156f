"""The notice of new packages, which Proxmox VE and Proxmox Backup Server send under one subject."""

import re
from collections.abc import Iterator

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status
from shared.parsers.contract import UnreadableMail
from shared.parsers.html import cells, rows
from shared.parsers.text import one_line

BACKUP_TYPE = "Updates"
PBS_INTRODUCTION = "Proxmox Backup Server has the following updates available"

_SUBJECT = re.compile(r"New software packages available \((?P<host>[^()]{1,255})\)", re.IGNORECASE)
_CHANGE = re.compile(r"(?P<name>[\w.+-]+): (?P<old>\S+) (?:==>|->) (?P<new>\S+)")
_NEW = re.compile(r"(?P<name>[\w.+-]+): (?P<new>\S+) \(new\)")


def is_notice(mail: Mail) -> bool:
    return _SUBJECT.search(one_line(mail.subject)) is not None


def is_of_backup_server(mail: Mail) -> bool:
    return PBS_INTRODUCTION in mail.body or mail.from_name.startswith("Proxmox Backup Server")


def reading(mail: Mail, software: str) -> Reading:
    """Return the notice: nothing is wrong, but somebody may want to know."""
    subject = _SUBJECT.search(one_line(mail.subject))
    assert subject is not None  # recognises() saw it
    packages = tuple(_packages(mail))
    if not packages:
        raise UnreadableMail("the body lists no package", job_name=subject["host"], origin=subject["host"])
    return Reading(
        software=software,
        backup_type=BACKUP_TYPE,
        job_name=subject["host"],
        origin=subject["host"],
        status=Status.INFORMATIONAL,
        kind=Kind.INFORMATIONAL,
        objects=packages,
        message=f"{len(packages)} packages can be updated",
        evidence=("subject: New software packages available",),
    )


def _packages(mail: Mail) -> Iterator[ObjectResult]:
    in_table = False
    for line in _lines(mail):
        columns = line.split()
        if line.startswith("Package Name") and line.endswith("Available Version"):
            in_table = True
        elif in_table and len(columns) == 3:
            yield _package(columns[0], f"{columns[1]} -> {columns[2]}")
        elif in_table and len(columns) == 2:  # a package that is not installed yet
            yield _package(columns[0], f"{columns[1]} (new)")
        elif change := _CHANGE.fullmatch(line):
            yield _package(change["name"], f"{change['old']} -> {change['new']}")
        elif new := _NEW.fullmatch(line):
            yield _package(new["name"], f"{new['new']} (new)")


def _lines(mail: Mail) -> list[str]:
    if mail.text.strip():
        return [line.strip() for line in mail.text.split("\n")]
    from_table = [one_line(" ".join(cells(row))) for row in rows(mail.html)]
    return from_table or [line.strip() for line in mail.body.split("\n")]


def _package(name: str, change: str) -> ObjectResult:
    return ObjectResult(name=name, type="Package", status=Status.INFORMATIONAL, message=change)
