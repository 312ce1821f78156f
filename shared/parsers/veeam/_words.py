"""The words by which every Veeam product says how something went, and the facts an unreadable mail keeps."""

from dataclasses import dataclass

from shared.domain.status import Status
from shared.parsers.contract import UnreadableMail
from shared.parsers.text import fold

# Header, rows and subjects share these words. The header of a failed job says "Error", its subject "Failed".
STATUS = {
    "success": Status.SUCCESS,
    "warning": Status.WARNING,
    "error": Status.FAILED,
    "failed": Status.FAILED,
    "canceled": Status.FAILED,
    "cancelled": Status.FAILED,
    "skipped": Status.FAILED,
    "missed": Status.FAILED,
}

VBR = "Veeam Backup & Replication"


def status_of(word: str) -> Status | None:
    """Return the verdict a word stands for, or None when no Veeam product is known to use it."""
    return STATUS.get(fold(word))


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What a mail says about its job before anything is said about how it went."""

    job_name: str | None
    backup_type: str
    origin: str | None = None

    def unreadable(self, reason: str) -> UnreadableMail:
        return UnreadableMail(reason, backup_type=self.backup_type, job_name=self.job_name, origin=self.origin)
