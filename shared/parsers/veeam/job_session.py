"""Veeam Backup & Replication: the mail that ends a session of any job.

Subject  `[Success] Nightly (3 objects) ` by default; "1 failed" or "2 warnings" may follow the count, which
         older versions put in "VMs" or "machines"; the administrator may change it all.
Body     HTML: `Backup job: Nightly (Retry 1)` in the header, with the description below it and the
         verdict at the right; counts, times, sizes; a row for each VM, host, database …

Seen from 9.5 to 13. The words are English on every machine; long dates and decimals follow its settings.
What kind of job it is stands before "job:", so new kinds are read too. A subject without any report proves
failed and warning only; it doesn't say the kind of job, which is then guessed from what it counts.
"""

from collections.abc import Sequence

from shared.domain.mail import Mail
from shared.domain.reading import Reading
from shared.parsers.contract import Parser
from shared.parsers.veeam._family import Family, family_of
from shared.parsers.veeam._frame import JOB_TITLE, Block, blocks_of
from shared.parsers.veeam._names import backup_type_of, creator_domain, job_name_of, object_type_of
from shared.parsers.veeam._session import session_reading
from shared.parsers.veeam._subject import Subject, subject_of
from shared.parsers.veeam._verdict import from_subject_alone
from shared.parsers.veeam._words import VBR, Known

_CONFIGURATION = ("Backup Configuration Job", "Configuration Backup")


def recognises(mail: Mail) -> bool:
    return family_of(mail) is Family.JOB


def parse(mail: Mail) -> Reading | Sequence[Reading]:
    subject = subject_of(mail)
    blocks = [block for block in blocks_of(mail) if JOB_TITLE.fullmatch(block.title)]
    if not blocks:
        return _from_subject(subject)
    # Below the first report an older one may be quoted: the subject isn't about that.
    return [_reading(block, subject if at == 0 else Subject()) for at, block in enumerate(blocks)]


def _reading(block: Block, subject: Subject) -> Reading:
    backup_type = backup_type_of(block)
    known = Known(
        job_name=job_name_of(block, subject),
        backup_type=backup_type,
        origin=subject.prefix or _only_machine(block, backup_type) or creator_domain(block.description),
    )
    return session_reading(block, subject, known, software=VBR, object_type=object_type_of(block, backup_type))


def _only_machine(block: Block, backup_type: str) -> str | None:
    """Return the machine that is the only row of a job made for one machine: its agent's or the server's own."""
    is_of_one = backup_type == "Configuration Backup" or block.description.startswith("Veeam Agent for ")
    listed = [row for table in block.tables for row in table.rows]
    return " ".join(listed[0][0].split()) if is_of_one and len(listed) == 1 else None


def _from_subject(subject: Subject) -> Reading:
    known = Known(
        job_name=subject.name or None,
        backup_type=_guessed_type(subject),
        origin=subject.prefix or None,
    )
    status, evidence = from_subject_alone(subject, known)
    return Reading(
        software=VBR,
        backup_type=known.backup_type,
        job_name=known.job_name,
        origin=known.origin,
        status=status,
        message="The mail holds no report.",
        evidence=evidence,
    )


def _guessed_type(subject: Subject) -> str:
    if subject.name in _CONFIGURATION:
        return "Configuration Backup"
    # "machines" was the agents' word, up to version 10.
    return "Agent Backup job" if subject.unit.startswith("machine") else "Backup job"


PARSER = Parser(
    name="veeam.job_session",
    software=VBR,
    backup_types=(
        "Backup job",
        "Agent Backup job",
        "Replication job",
        "Backup Copy job",
        "Backup to Tape job",
        "SureBackup job",
        "Configuration Backup",
        "MongoDB Backup job",
        "Application Backup Policy job",
    ),
    languages=("en",),
    looks_for="“… job: NAME” above a table of objects, or “[Success] NAME (3 objects)” as the subject",
    recognises=recognises,
    parse=parse,
)
