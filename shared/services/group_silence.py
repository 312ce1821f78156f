"""Notices that a whole sender, or a whole customer, fell silent, and makes its missed runs one item."""

from datetime import datetime

from sqlalchemy.orm import Session


def group_silences(db: Session, *, now: datetime) -> int:  # noqa: ARG001 -- filled in next
    """Open, extend and end the silent sources, and group their missed runs; return how many changed. Repeatable."""
    return 0
