"""Choices a user makes for himself."""

from enum import StrEnum


class Theme(StrEnum):
    """How the pages look to one user; `auto` follows his device."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"
