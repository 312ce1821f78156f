"""Choices a user makes for himself, and how long he stays signed in."""

from datetime import timedelta
from enum import StrEnum

SESSION_IDLE = timedelta(hours=8)
SESSION_ABSOLUTE = timedelta(days=7)


class Theme(StrEnum):
    """How the pages look to one user; `auto` follows his device."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"
