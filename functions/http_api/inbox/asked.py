"""What the address of an inbox page asks for; a mail's page carries the list's filters along."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from pydantic import AfterValidator

from functions.http_api.addresses import ListAddress
from functions.http_api.deps import CurrentUser, require
from shared.domain.mailflow import InboxReason
from shared.domain.permissions import Right
from shared.queries.inbox import InboxFilters

Reader = Annotated[CurrentUser, require(Right.SEE_INBOX)]
Worker = Annotated[CurrentUser, require(Right.WORK_INBOX)]

# Zero bytes: no page sends them, and no column can be asked for them.
Words = Annotated[str, AfterValidator(lambda text: text.replace("\0", ""))]

VIEWS = ("waiting", "quarantined", "duplicates")
NEWEST_FIRST, OLDEST_FIRST = "-received", "received"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The list as it is narrowed, sorted and turned."""

    q: str = ""
    reason: str = ""
    software: Words = ""
    sort: str = NEWEST_FIRST
    page: int = 1
    view: str = "waiting"

    def __post_init__(self) -> None:
        if self.view not in VIEWS:
            object.__setattr__(self, "view", VIEWS[0])

    @property
    def filters(self) -> InboxFilters:
        reason = InboxReason(self.reason) if self.reason in set(InboxReason) else None
        newest_first = self.sort != OLDEST_FIRST
        return InboxFilters(reason=reason, software=self.software, text=self.q, newest_first=newest_first)

    @property
    def address(self) -> ListAddress:
        return ListAddress(path="/inbox", filters=self._in_address(), sort=self._sort())

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.reason or self.software)

    @property
    def list_path(self) -> str:
        """The list, on its first page: what was handled is gone from the others."""
        return self.address.on_page(1)

    def mail_path(self, mail_id: int, rest: str = "") -> str:
        """Return the address of a mail's page, or of something below it, that keeps the list's filters."""
        kept = {name: value for name, value in (self._in_address() | {"sort": self._sort()}).items() if value}
        query = f"?{urlencode(kept)}" if kept else ""
        return f"/inbox/{mail_id}{rest}{query}"

    def _in_address(self) -> dict[str, object]:
        view = "" if self.view == VIEWS[0] else self.view
        return {"view": view, "q": self.q, "reason": self.reason, "software": self.software}

    def _sort(self) -> str:
        return "" if self.sort == NEWEST_FIRST else self.sort
