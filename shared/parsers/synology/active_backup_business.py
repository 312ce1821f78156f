"""Synology Active Backup for Business: a backup task ended.

Subject  `<prefix> Active Backup for Business - backup task <task> on <NAS> has been completed`, translated.
Body     the sentence again, `Start time:`, `End time:`, `Transferred size:`, `Device list:`, `From <NAS>`; by
         webhook the sentence alone. Seen in English, Italian and Danish; Dutch, German and French assumed.
"""

from shared.domain.mail import Mail
from shared.domain.reading import Reading
from shared.parsers.contract import Parser
from shared.parsers.synology._active_backup import read_active_backup, recogniser

SOFTWARE = "Synology Active Backup for Business"
BACKUP_TYPE = "Active Backup"


def parse(mail: Mail) -> Reading:
    return read_active_backup(mail, software=SOFTWARE, backup_type=BACKUP_TYPE)


PARSER = Parser(
    name="synology.active_backup_business",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en", "nl", "de", "fr", "it", "da"),
    looks_for="“Active Backup for Business” in the subject or the first lines",
    recognises=recogniser("active backup for business"),
    parse=parse,
)
