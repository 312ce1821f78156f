"""The name under which a mail is saved."""

import re

_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
LONGEST = 100


def raw_name(subject: str, mail_id: int) -> str:
    """Return a file name that every system takes and people recognise."""
    words = " ".join(_NOT_IN_NAMES.sub(" ", subject).split())[:LONGEST].strip(" .")
    return f"{words or f'mail-{mail_id}'}.eml"
