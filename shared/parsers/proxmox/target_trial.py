"""Proxmox VE and Proxmox Backup Server: somebody tries a notification target.

Subject  `Test notification`.
Body     "This is a test of the notification target '<name>'." Text or HTML, always English.
"""

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser
from shared.parsers.proxmox._node import machine

SOFTWARE = "Proxmox VE"
BACKUP_TYPE = "Test"


def recognises(mail: Mail) -> bool:
    return (
        "test notification" in mail.subject.lower()
        and "This is a test of the notification target '" in mail.body[:2000]
    )


def parse(mail: Mail) -> Reading:
    of_backup_server = mail.from_name.startswith("Proxmox Backup Server")
    return Reading(
        software="Proxmox Backup Server" if of_backup_server else SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=None,
        origin=machine(mail),
        status=Status.INFORMATIONAL,
        kind=Kind.EVENT,
        evidence=("body: This is a test of the notification target",),
    )


PARSER = Parser(
    name="proxmox.target_trial",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for="the subject “Test notification” and the sentence “This is a test of the notification target”",
    recognises=recognises,
    parse=parse,
)
