"""What stands in the addresses of pages: ids, and what a list is narrowed to, sorted by and turned to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Path

LARGEST_ID = 2**63 - 1  # beyond it the database refuses to compare

RowId = Annotated[int, Path(ge=0, le=LARGEST_ID)]


def as_id(text: str) -> int | None:
    """Return the id that somebody typed or sent, None for what can be none."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if 0 < number <= LARGEST_ID else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ListAddress:
    """The address of a list, at `place` in its page.

    `sort` is a column's key, `-key` when descending; empty filters are left out.
    """

    path: str
    filters: Mapping[str, object] = field(default_factory=dict)
    sort: str = ""
    place: str = ""

    def sorted_by(self, key: str) -> str:
        return self._address(sort=key)

    def on_page(self, number: int) -> str:
        return self._address(sort=self.sort, page=number if number > 1 else "")

    def without(self, *names: str) -> str:
        """Return the address of the first page without some filters."""
        kept = {name: value for name, value in self.filters.items() if name not in names}
        return ListAddress(path=self.path, filters=kept, sort=self.sort).on_page(1)

    @property
    def narrowed(self) -> bool:
        return any(value not in ("", None) for value in self.filters.values())

    def _address(self, **more: object) -> str:
        asked = {name: value for name, value in {**self.filters, **more}.items() if value not in ("", None)}
        query = f"?{urlencode(asked)}" if asked else ""
        return f"{self.path}{query}{'#' if self.place else ''}{self.place}"
