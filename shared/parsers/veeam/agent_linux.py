"""Veeam Agent for Linux by way of the script vee-mail: the agent itself sends no mail.

Subject  `[Success] web03 - 09.03.2026 03:00:02 (Daily - incremental)`; before 0.5.38 without the brackets at
         the end. Encoded in base64 or quoted-printable.
Body     HTML in the frame of Backup & Replication; one row, the host. Its messages stand in a row of their
         own below "Details"; a second table shows the target, which is no object.

The script copies only the errors and warnings of the agent's log below "Details": when the agent
says Success and there is such a line, somebody must look.
"""

from dataclasses import replace

from shared.domain.mail import Mail
from shared.domain.reading import Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.text import fold
from shared.parsers.veeam._family import VEE_MAIL, Family, family_of
from shared.parsers.veeam._frame import JOB_TITLE, Block, blocks_of
from shared.parsers.veeam._names import job_name_of
from shared.parsers.veeam._session import session_reading
from shared.parsers.veeam._subject import Subject, subject_of
from shared.parsers.veeam._tables import FOOTER
from shared.parsers.veeam._verdict import from_subject_alone
from shared.parsers.veeam._words import Known

_SOFTWARE = "Veeam Agent for Linux (vee-mail)"
_TYPE = "Agent Backup job"


def recognises(mail: Mail) -> bool:
    return family_of(mail) is Family.LINUX_AGENT


def parse(mail: Mail) -> Reading:
    subject = subject_of(mail)
    block = next((block for block in blocks_of(mail) if JOB_TITLE.fullmatch(block.title)), None)
    if block is None:
        return _from_subject(subject)
    known = Known(job_name=job_name_of(block, subject), backup_type=_TYPE, origin=_host(block, subject))
    if "backup target" not in [fold(line) for line in block.ending] and not block.has_footer:
        _refuse_success(block, subject, known)
    reading = session_reading(block, subject, known, software=_SOFTWARE, object_type="Computer")
    return _with_details(reading, _details(block))


def _refuse_success(block: Block, subject: Subject, known: Known) -> None:
    """Raise UnreadableMail for a mail cut before or inside its messages, unless something else shows trouble."""
    words = {fold(word) for word in (*block.verdicts, subject.word)}
    if words <= {"success", ""}:
        raise known.unreadable("the mail ends before its messages, so it can't prove success")


def _host(block: Block, subject: Subject) -> str | None:
    listed = [" ".join(row[0].split()) for table in block.tables for row in table.rows]
    if listed:
        return listed[0]
    host, dash, _ = subject.name.partition(" - ")
    return host if dash else None


def _details(block: Block) -> str:
    """Return the lines between "Details" and the next heading."""
    folded = [fold(line) for line in block.ending]
    start = folded.index("details") + 1 if "details" in folded else len(folded)
    end = folded.index("backup target", start) if "backup target" in folded[start:] else len(folded)
    lines = [line for line in block.ending[start:end] if line and not FOOTER.fullmatch(line)]
    return " ".join(lines)


def _with_details(reading: Reading, message: str) -> Reading:
    if not message:
        return reading
    objects = tuple(replace(thing, message=message) for thing in reading.objects)
    reading = replace(reading, objects=objects)
    if reading.status is Status.SUCCESS:
        return replace(reading, status=Status.WARNING, evidence=(f"details: {message}",))
    return reading


def _from_subject(subject: Subject) -> Reading:
    match = VEE_MAIL.fullmatch(subject.name)
    if match is None:
        raise UnreadableMail("the report is missing", backup_type=_TYPE)
    known = Known(job_name=match["job"], backup_type=_TYPE, origin=match["host"])
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
    name="veeam.agent_linux",
    software=_SOFTWARE,
    backup_types=(_TYPE,),
    languages=("en",),
    looks_for="“Agent Backup job: NAME”, closed by “Veeam Agent for Linux … Vee-Mail Version …”",
    recognises=recognises,
    parse=parse,
)
