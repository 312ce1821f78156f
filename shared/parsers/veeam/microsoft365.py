"""Veeam Backup for Microsoft 365 (until 2021: for Microsoft Office 365).

Subject  `[Warning] north.example - Mail and sites (4 objects), 2 issues`: organisation, job, and always "issues",
         also when there are none
Body     HTML in the frame of Backup & Replication, closed by this product's name and version

In English. Which columns and rows the table has isn't documented: they are read by their headings, and the
rows aren't taken for everything the job covers unless the counts agree.
"""

from shared.domain.mail import Mail
from shared.domain.reading import Reading
from shared.parsers.contract import Parser
from shared.parsers.veeam._family import Family, family_of
from shared.parsers.veeam._frame import JOB_TITLE, Block, blocks_of
from shared.parsers.veeam._names import backup_type_of, job_name_of, object_type_of
from shared.parsers.veeam._session import session_reading
from shared.parsers.veeam._subject import Subject, subject_of
from shared.parsers.veeam._verdict import from_subject_alone
from shared.parsers.veeam._words import Known

_SOFTWARE = "Veeam Backup for Microsoft 365"
_TYPE = "Microsoft 365 backup job"
_COPY = "Microsoft 365 backup copy job"


def recognises(mail: Mail) -> bool:
    return family_of(mail) is Family.M365


def parse(mail: Mail) -> Reading:
    subject = subject_of(mail)
    block = next((block for block in blocks_of(mail) if JOB_TITLE.fullmatch(block.title)), None)
    if block is None:
        return _from_subject(subject)
    job = job_name_of(block, subject)
    backup_type = _COPY if "copy" in backup_type_of(block).lower() else _TYPE
    known = Known(job_name=job, backup_type=backup_type, origin=_organisation(subject, job))
    return session_reading(block, subject, known, software=_SOFTWARE, object_type=_object_type(block))


def _organisation(subject: Subject, job: str) -> str | None:
    """Return what stands before the job's name in the subject; a customised subject has nothing there."""
    organisation, dash, rest = subject.name.partition(" - ")
    if subject.name.endswith(f" - {job}"):
        organisation = subject.name[: -len(f" - {job}")]
    return (organisation if dash and rest else "") or subject.prefix or None


def _object_type(block: Block) -> str:
    """Return "Organization" for one row that stands for all objects the job counts."""
    listed = sum(len(table.rows) for table in block.tables)
    if listed == 1 and (block.total or 0) > 1:
        return "Organization"
    return object_type_of(block, "Microsoft 365")


def _from_subject(subject: Subject) -> Reading:
    organisation, dash, job = subject.name.partition(" - ")
    known = Known(job_name=job if dash else subject.name, backup_type=_TYPE, origin=organisation if dash else None)
    status, evidence = from_subject_alone(subject, known)
    return Reading(
        software=_SOFTWARE,
        backup_type=_TYPE,
        job_name=known.job_name,
        origin=known.origin,
        status=status,
        message="The mail holds no report.",
        evidence=evidence,
    )


PARSER = Parser(
    name="veeam.microsoft365",
    software=_SOFTWARE,
    backup_types=(_TYPE, _COPY),
    languages=("en",),
    looks_for="“Backup job: NAME”, closed by “Veeam Backup for Microsoft 365”, or a subject ending in “, 0 issues”",
    recognises=recognises,
    parse=parse,
)
