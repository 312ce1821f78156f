"""Proxmox Backup Server: the notice that packages can be updated.

Subject  `New software packages available (<host>)`, the same as that of Proxmox VE.
Body     "Proxmox Backup Server has the following updates available:", a line per package
         (`name: old -> new`) and a link to the web interface. Always English.
"""

from shared.domain.mail import Mail
from shared.domain.reading import Reading
from shared.parsers.contract import Parser
from shared.parsers.proxmox._packages import BACKUP_TYPE, is_notice, is_of_backup_server, reading

SOFTWARE = "Proxmox Backup Server"


def recognises(mail: Mail) -> bool:
    return is_notice(mail) and is_of_backup_server(mail)


def parse(mail: Mail) -> Reading:
    return reading(mail, SOFTWARE)


PARSER = Parser(
    name="proxmox.pbs_updates",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for="the subject “New software packages available (host)” of a Proxmox Backup Server",
    recognises=recognises,
    parse=parse,
)
