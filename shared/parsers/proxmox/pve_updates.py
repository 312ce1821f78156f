"""Proxmox VE: the notice that packages can be updated.

Subject  `New software packages available (<host>)`.
Body     up to 8.0 a line per package (`name: old ==> new`, `name: version (new)`), since 8.1 a table in text
         or HTML: Package Name, Installed Version, Available Version. Always English.
"""

from shared.domain.mail import Mail
from shared.domain.reading import Reading
from shared.parsers.contract import Parser
from shared.parsers.proxmox._packages import BACKUP_TYPE, is_notice, is_of_backup_server, reading

SOFTWARE = "Proxmox VE"


def recognises(mail: Mail) -> bool:
    return is_notice(mail) and not is_of_backup_server(mail)


def parse(mail: Mail) -> Reading:
    return reading(mail, SOFTWARE)


PARSER = Parser(
    name="proxmox.pve_updates",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for="the subject “New software packages available (host)”, not of a Proxmox Backup Server",
    recognises=recognises,
    parse=parse,
)
