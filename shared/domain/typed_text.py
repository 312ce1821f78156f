"""What people type into forms, as it is stored."""


def tidy_text(typed: str) -> str:
    """Return `typed` without what no column takes and without space around it; browsers end lines as CR LF."""
    return typed.replace("\0", "").replace("\r\n", "\n").strip()
