"""What makes two mails the same: the delivery, or the report inside."""

import hashlib

from shared.domain.mail import Mail


def file_key(name: str, raw: bytes) -> bytes:
    """Return the identity of a file's delivery: importing the same folder again must change nothing."""
    digest = hashlib.sha256(name.encode("utf-8", "replace"))
    digest.update(b"\0")
    digest.update(raw)
    return digest.digest()


def report_hash(mail: Mail) -> bytes | None:
    """Return the identity of the report, or None when it doesn't say when it was sent.

    Short notices are byte-identical every night: only the `Date` header to the second tells two
    nights apart, so without one nothing may be called a duplicate.
    """
    if mail.sent_at is None:
        return None
    parts = (mail.from_address, mail.subject, mail.text, mail.html, mail.sent_at.isoformat(timespec="seconds"))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).digest()
