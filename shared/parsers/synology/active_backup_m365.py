"""Synology Active Backup for Microsoft 365: a backup task of a tenant ended.

Subject  `Active Backup for Microsoft 365 - backup task [<task>] on [<NAS>] was completed`, translated; task and
         NAS stand in square brackets. Before 2020 the product was called Active Backup for Office 365.
Body     the sentence again, by webhook below "A new system event occurred on your …". Seen in English and
         Danish; Dutch, German, French and Italian assumed.
"""

from shared.domain.mail import Mail
from shared.domain.reading import Reading
from shared.parsers.contract import Parser
from shared.parsers.synology._active_backup import read_active_backup, recogniser

SOFTWARE = "Synology Active Backup for Microsoft 365"
BACKUP_TYPE = "Active Backup for Microsoft 365"


def parse(mail: Mail) -> Reading:
    return read_active_backup(mail, software=SOFTWARE, backup_type=BACKUP_TYPE)


PARSER = Parser(
    name="synology.active_backup_m365",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en", "nl", "de", "fr", "it", "da"),
    looks_for="“Active Backup for Microsoft 365” in the subject or the first lines",
    recognises=recogniser("active backup for microsoft 365", "active backup for office 365"),
    parse=parse,
)
