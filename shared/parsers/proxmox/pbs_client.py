"""Proxmox Backup Server: the output of `proxmox-backup-client backup`, mailed by cron or a script.

Subject  anything: it is the script's.
Body     for each backup `Starting backup: <type>/<id>…` (a script may put signs around it), `Client name:`,
         `Starting backup protocol:`, lines per archive, and at the very end of a backup that worked
         `Duration:` and `End Time:`. An error is a line that starts with `Error:`.
Seen     client 1.x to 4.x, always English. The client prints no word for success: its last line is the proof.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.mail import Mail
from shared.domain.reading import ObjectResult, Reading
from shared.domain.status import Status, badness
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.text import wall_clock

SOFTWARE = "Proxmox Backup Server"
BACKUP_TYPE = "proxmox-backup-client"
# How a line starts, and what it says of the backup. The last line of a backup that worked is the only good one.
STATUS = {"end time:": Status.SUCCESS, "warning:": Status.WARNING, "error:": Status.FAILED}

_START = re.compile(r"[=#* -]{0,40}Starting backup: (?P<path>[^=\s]+)[=#* -]{0,40}")
_TIME_OF_SNAPSHOT = re.compile(r"/\d{4}-\d\d-\d\dT[\d:]+Z")


@dataclass(kw_only=True, slots=True)
class _Backup:
    job_name: str
    client: str | None = None
    ended_at: datetime | None = None
    said: dict[Status, str] = field(default_factory=dict)

    @property
    def status(self) -> Status | None:
        """Return what its lines prove: without the last line only a failure."""
        if Status.SUCCESS not in self.said and Status.FAILED not in self.said:
            return None
        return max(self.said, key=badness)


def recognises(mail: Mail) -> bool:
    # Line by line: a vzdump log holds the same words behind the guest's number and the time.
    body = f"\n{mail.body}"
    return "\nStarting backup protocol: " in body and "\nClient name: " in body


def parse(mail: Mail) -> list[Reading]:
    backups = list(_merged(_backups(mail.body)))
    if not backups:
        raise UnreadableMail("the start of the backup is missing")
    unfinished = [backup for backup in backups if backup.status is None]
    if unfinished and not any(backup.status is Status.FAILED for backup in backups):
        lost = unfinished[0]
        raise UnreadableMail("“End Time:” is missing", job_name=lost.job_name, origin=lost.client)
    return [_reading(backup) for backup in backups]


def _backups(body: str) -> Iterator[_Backup]:
    backup: _Backup | None = None
    for line in map(str.strip, body.split("\n")):
        if start := _START.fullmatch(line):
            if backup:
                yield backup
            backup = _Backup(job_name=_TIME_OF_SNAPSHOT.sub("", start["path"]))
        elif backup:
            _note(backup, line)
    if backup:
        yield backup


def _note(backup: _Backup, line: str) -> None:
    if line.startswith("Client name: "):
        backup.client = line.removeprefix("Client name: ")
    for start, status in STATUS.items():
        if line.lower().startswith(start):
            backup.said.setdefault(status, line)
    if line.startswith("End Time: "):
        backup.ended_at = _end_time(line.removeprefix("End Time: "))


def _end_time(text: str) -> datetime | None:
    """Read `Fri Jul 24 07:01:02 2026`: the year comes last."""
    words = text.split()
    return wall_clock(f"{words[1]} {words[2]} {words[4]} {words[3]}") if len(words) == 5 else None


def _merged(backups: Iterator[_Backup]) -> Iterator[_Backup]:
    """Yield one backup per name: where a script tries again or saves two parts, the worse stands for both."""
    by_name: dict[str, _Backup] = {}
    for backup in backups:
        above = by_name.get(backup.job_name)
        by_name[backup.job_name] = max(above, backup, key=_rank) if above else backup
    yield from by_name.values()


def _rank(backup: _Backup) -> int:
    return badness(backup.status or Status.UNREADABLE)


def _reading(backup: _Backup) -> Reading:
    # Only in a mail that tells of a failure does a backup without its end get here: it was never finished.
    status = backup.status or Status.FAILED
    why = backup.said.get(status, "“End Time:” is missing")
    message = "" if status is Status.SUCCESS else why.partition(":")[2].strip() or why
    host = backup.client or backup.job_name.rpartition("/")[2]
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=backup.job_name,
        origin=host,
        status=status,
        objects=(ObjectResult(name=host, type="Host", status=status, message=message),),
        ended_at=backup.ended_at,
        message=message,
        evidence=(why,),
    )


PARSER = Parser(
    name="proxmox.pbs_client",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for="lines that begin with “Starting backup protocol:” and “Client name:”",
    recognises=recognises,
    parse=parse,
)
