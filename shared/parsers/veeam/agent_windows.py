"""Veeam Agent for Microsoft Windows, on a machine that no backup server manages.

Subject  `[Failed] FRONTDESK - Daily - 03/02/2026 22:14:07` by default: computer, job, end
Body     HTML in the frame of Backup & Replication; one row, the computer itself

Seen in 6.0, in English. A run that fails sends two mails: the first error, then the last result.
"""

from shared.domain.mail import Mail
from shared.domain.reading import Reading
from shared.parsers.contract import Parser
from shared.parsers.veeam._family import Family, family_of
from shared.parsers.veeam._frame import JOB_TITLE, Block, blocks_of
from shared.parsers.veeam._names import job_name_of
from shared.parsers.veeam._session import session_reading
from shared.parsers.veeam._subject import Subject, subject_of
from shared.parsers.veeam._verdict import from_subject_alone
from shared.parsers.veeam._words import Known

_SOFTWARE = "Veeam Agent for Microsoft Windows"
_TYPE = "Agent Backup job"


def recognises(mail: Mail) -> bool:
    return family_of(mail) is Family.WINDOWS_AGENT


def parse(mail: Mail) -> Reading:
    subject = subject_of(mail)
    block = next((block for block in blocks_of(mail) if JOB_TITLE.fullmatch(block.title)), None)
    if block is None:
        return _from_subject(subject)
    known = Known(job_name=job_name_of(block, subject), backup_type=_TYPE, origin=_computer(block, subject))
    return session_reading(block, subject, known, software=_SOFTWARE, object_type="Computer")


def _computer(block: Block, subject: Subject) -> str | None:
    listed = [" ".join(row[0].split()) for table in block.tables for row in table.rows]
    if listed:
        return listed[0]
    computer, dash, _ = subject.name.partition(" - ")
    return computer if dash else None


def _from_subject(subject: Subject) -> Reading:
    computer, *job, _ = subject.name.split(" - ")
    known = Known(job_name=" - ".join(job), backup_type=_TYPE, origin=computer)
    status, evidence = from_subject_alone(subject, known)
    return Reading(
        software=_SOFTWARE,
        backup_type=_TYPE,
        job_name=known.job_name,
        origin=computer,
        status=status,
        message="The mail holds no report.",
        evidence=evidence,
    )


PARSER = Parser(
    name="veeam.agent_windows",
    software=_SOFTWARE,
    backup_types=(_TYPE,),
    languages=("en",),
    looks_for="“Agent Backup job: NAME”, closed by “Veeam Agent for Microsoft Windows” and a version",
    recognises=recognises,
    parse=parse,
)
