"""Veeam Backup & Replication: the daily digest of a policy that agents run by themselves.

Subject  `[Warning] Workstations (12 objects) 1 warning`
Body     HTML: the policy's name without "job:" in the header; Assigned, Configured and Disconnected beside
         the counts; a row for each computer with its last run, or why there was none.

Seen from 11 to 12, in English. It comes every morning, whether or not a computer ran.
"""

from shared.domain.mail import Mail
from shared.domain.reading import Reading
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.veeam._family import Family, family_of
from shared.parsers.veeam._frame import blocks_of
from shared.parsers.veeam._names import creator_domain
from shared.parsers.veeam._session import session_reading
from shared.parsers.veeam._subject import subject_of
from shared.parsers.veeam._words import VBR, Known

_TYPE = "Agent Backup Policy"


def recognises(mail: Mail) -> bool:
    return family_of(mail) is Family.POLICY


def parse(mail: Mail) -> Reading:
    subject = subject_of(mail)
    block = next((block for block in blocks_of(mail) if block.count("assigned") is not None), None)
    if block is None:
        raise UnreadableMail("the policy's header is missing", backup_type=_TYPE, job_name=subject.name or None)
    origin = subject.prefix or creator_domain(block.description)
    known = Known(job_name=block.title, backup_type=_TYPE, origin=origin)
    return session_reading(block, subject, known, software=VBR, object_type="Computer")


PARSER = Parser(
    name="veeam.agent_policy",
    software=VBR,
    backup_types=(_TYPE,),
    languages=("en",),
    looks_for="“Assigned” above “Configured” in a report whose header names no job",
    recognises=recognises,
    parse=parse,
)
