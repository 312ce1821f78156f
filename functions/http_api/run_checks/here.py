"""What of the list is shown, as the address says it; and addresses of what else could be."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends

from functions.http_api.addresses import LARGEST_ID
from functions.http_api.formats import ui_zone
from shared.domain.status import Status
from shared.queries.run_checks_rows import Filters

PAGE = "/run-checks"


@dataclass(frozen=True, kw_only=True, slots=True)
class Here:
    """The parts of the address; an empty one is left out of it."""

    q: str = ""
    status: str = ""
    customer: int | None = None
    software: str = ""
    clean: bool = False  # the clean successes are shown as rows
    reviewed: bool = False  # with what was reviewed today; administrators only
    causes: bool = False  # jobs that are bad for one reason are one row
    silence: int | None = None  # whose jobs are shown under its row
    cause: str = ""  # whose jobs are shown under its row
    panel: int | None = None  # a job
    run: int | None = None  # one of its runs

    @property
    def is_narrowed(self) -> bool:
        return bool(self.q or self.status or self.customer or self.software)

    def filters(self, now: datetime, *, may_see_reviewed: bool) -> Filters:
        return Filters(
            customer_id=self.customer,
            software=self.software,
            status=Status(self.status) if self.status else None,
            text=self.q,
            reviewed_since=start_of_today(now) if self.reviewed and may_see_reviewed else None,
        )

    def link(self, **changes: object) -> str:
        """Return the address of the page with some parts changed; a job's panel opens with its own choice of run."""
        parts = {name: getattr(self, name) for name in self.__slots__} | changes
        kept = {name: "1" if value is True else value for name, value in parts.items() if value}
        return f"{PAGE}?{urlencode(kept)}" if kept else PAGE

    def run_links(self, job_id: int | None) -> Callable[[int], str]:
        """Return what makes addresses of the panel that shows one run of a job."""
        return lambda run_id: self.link(panel=job_id, run=run_id)


def start_of_today(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(ui_zone()).date(), time(), ui_zone())


@dataclass(frozen=True, slots=True)
class _Address:
    """The parts of the address as they stand there."""

    q: str = ""
    status: str = ""
    customer: str = ""
    software: str = ""
    clean: str = ""
    reviewed: str = ""
    causes: str = ""
    silence: str = ""
    cause: str = ""
    panel: str = ""
    run: str = ""


def _here(asked: Annotated[_Address, Depends()]) -> Here:
    return Here(
        q=_tidy(asked.q),
        status=asked.status if asked.status in set(Status) else "",
        customer=_id(asked.customer),
        software=_tidy(asked.software),
        clean=asked.clean == "1",
        reviewed=asked.reviewed == "1",
        causes=asked.causes == "1",
        silence=_id(asked.silence),
        cause=_tidy(asked.cause),
        panel=_id(asked.panel),
        run=_id(asked.run),
    )


# An address that somebody mistyped shows the list, not an error.
HereInTheList = Annotated[Here, Depends(_here)]


def _tidy(text: str) -> str:
    return " ".join("".join(letter for letter in text if letter.isprintable()).split())[:200]


def _id(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if 0 < number <= LARGEST_ID else None
