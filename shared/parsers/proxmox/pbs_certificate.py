"""Proxmox Backup Server: its TLS certificate could not be renewed.

Subject  `Could not renew certificate`.
Body     "Proxmox Backup Server was not able to renew a TLS certificate.", `Error: <why>`, a link to the web
         interface. Plain text, always English.
Not a backup's result: informational, but a warning, for backups stop when the certificate runs out.
"""

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser
from shared.parsers.proxmox._node import machine, short_name
from shared.parsers.text import labels

SOFTWARE = "Proxmox Backup Server"
BACKUP_TYPE = "Certificate"


def recognises(mail: Mail) -> bool:
    # The subject could be anybody's: sender or body must name the product.
    return "could not renew certificate" in mail.subject.lower() and (
        mail.from_name.startswith(SOFTWARE) or SOFTWARE in mail.body
    )


def parse(mail: Mail) -> Reading:
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=short_name(mail) or machine(mail),
        origin=machine(mail),
        status=Status.WARNING,
        kind=Kind.INFORMATIONAL,
        message=labels(mail.body).get("error", ""),
        evidence=("subject: Could not renew certificate",),
    )


PARSER = Parser(
    name="proxmox.pbs_certificate",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for="the subject “Could not renew certificate” of a Proxmox Backup Server",
    recognises=recognises,
    parse=parse,
)
