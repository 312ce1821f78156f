"""Veeam Backup & Replication: the daily report on the rescan of a protection group. It is no backup.

Subject  free, for example `[Success] Branch servers rescan`
Body     HTML: the group's name in the header; Assigned, Seen and Updated beside the counts; a row for each
         computer with IP address, status (third column), operating system and details.

Seen from 11 on, in English.
"""

from dataclasses import replace

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.veeam._family import Family, family_of
from shared.parsers.veeam._frame import blocks_of
from shared.parsers.veeam._session import session_reading
from shared.parsers.veeam._subject import subject_of
from shared.parsers.veeam._words import VBR, Known

_TYPE = "Rescan"


def recognises(mail: Mail) -> bool:
    return family_of(mail) is Family.RESCAN


def parse(mail: Mail) -> Reading:
    subject = subject_of(mail)
    block = next((block for block in blocks_of(mail) if block.count("assigned") is not None), None)
    if block is None:
        raise UnreadableMail("the protection group's header is missing", backup_type=_TYPE)
    known = Known(job_name=block.title, backup_type=_TYPE, origin=subject.prefix or None)
    reading = session_reading(block, subject, known, software=VBR, object_type="Computer")
    status = Status.INFORMATIONAL if reading.status is Status.SUCCESS else reading.status
    return replace(reading, kind=Kind.INFORMATIONAL, status=status)


PARSER = Parser(
    name="veeam.rescan",
    software=VBR,
    backup_types=(_TYPE,),
    languages=("en",),
    looks_for="“Assigned” above “Seen” in a report whose header names no job",
    recognises=recognises,
    parse=parse,
)
