"""The words of Bacula's and Bareos' directors for what a job did and how it ended."""

import re
from dataclasses import dataclass

from shared.domain.reading import Kind
from shared.domain.status import Status
from shared.parsers.text import fold

# What the report's `Termination:` line says after the operation ("Backup", "Copying", …) is taken off.
ENDINGS = {
    "ok": Status.SUCCESS,
    "ok -- with warnings": Status.WARNING,
    "ok -- warning file count mismatch": Status.WARNING,
    "ok -- with errors": Status.FAILED,
    "warnings": Status.WARNING,
    "differences": Status.WARNING,
    "error": Status.FAILED,
    "fatal error": Status.FAILED,
    "canceled": Status.FAILED,
    "failed -- incomplete": Status.FAILED,
    "failed": Status.FAILED,
    # The subject's words (%e) where they differ from the report's.
    "non-fatal error": Status.WARNING,
    "verify differences": Status.WARNING,
    "error: incomplete job": Status.FAILED,
    "incomplete": Status.FAILED,
}
# What the file and storage daemons say; other words ("Running", "") say nothing about the end.
DAEMON_ENDINGS = {
    "ok -- with warnings": Status.WARNING,
    "non-fatal error": Status.WARNING,
    "error": Status.FAILED,
    "fatal error": Status.FAILED,
    "canceled": Status.FAILED,
}


@dataclass(frozen=True, slots=True)
class Operation:
    backup_type: str
    kind: Kind = Kind.REGULAR


OPERATIONS = {
    "backup": Operation("Backup"),
    "restore": Operation("Restore", Kind.EVENT),
    "restoring": Operation("Restore", Kind.EVENT),
    "verify": Operation("Verify"),
    "verifying": Operation("Verify"),
    "copy": Operation("Copy"),
    "copying": Operation("Copy"),
    "migrate": Operation("Migration"),
    "migration": Operation("Migration"),
    "migrating": Operation("Migration"),
    "archive": Operation("Archive"),
    "archiving": Operation("Archive"),
    "consolidate": Operation("Consolidate", Kind.INFORMATIONAL),
    "consolidating": Operation("Consolidate", Kind.INFORMATIONAL),
    "admin": Operation("Admin", Kind.INFORMATIONAL),
    "administration": Operation("Admin", Kind.INFORMATIONAL),
}
_STARS = re.compile(r"\*{3}|\.$")


def split_ending(words: str) -> tuple[Operation | None, str]:
    """Take "*** Backup Error ***" or "Copying OK -- with warnings" apart into the operation and its ending."""
    text = fold(_STARS.sub(" ", words.strip()))
    first, _, rest = text.partition(" ")
    operation = OPERATIONS.get(first)
    return (operation, rest) if operation else (None, text)
