"""What the address of Daily Jobs asks, and the addresses beside it."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import Query

from functions.http_api.addresses import ListAddress, as_id
from shared.queries.day_slots import DayFilters
from shared.services.errors import BadInput

PATH = "/daily-jobs"
WHICH_DAY = "Say which day as YYYY-MM-DD."


class Listed(StrEnum):
    """The lists of a day, in the order of their tabs."""

    EXPECTED = "expected"
    UNEXPECTED = "unexpected"
    WITHOUT_SCHEDULE = "unscheduled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the address says; without a day it is today."""

    day: str = ""
    q: str = ""
    software: str = ""
    customer: str = ""
    state: str = ""
    list: str = ""
    sort: str = "state"
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1

    def on(self, today: date) -> date:
        """Return the day that is asked for. Raise BadInput."""
        return read_day(self.day) if self.day else today

    @property
    def customer_id(self) -> int | None:
        return as_id(self.customer)

    @property
    def filters(self) -> DayFilters:
        # No column can hold a zero byte, and the driver refuses it.
        software, state = (text.replace("\0", "") for text in (self.software, self.state))
        return DayFilters(customer_id=self.customer_id, software=software, text=self.q, state=state)

    @property
    def listed(self) -> Listed:
        return Listed(self.list) if self.list in set(Listed) else Listed.EXPECTED


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """The addresses around what is shown: the same filters on another day, in another list, with another state."""

    asked: Asked
    day: date
    today: date

    @property
    def here(self) -> ListAddress:
        return self._address(day=self.day)

    def on(self, day: date) -> str:
        return self._address(day=day).on_page(1)

    def listed(self, listed: Listed) -> str:
        return self._address(day=self.day, listed=listed).on_page(1)

    def with_state(self, state: str) -> str:
        """Return the address of the expected jobs with such a state; of all when they are shown already."""
        chosen = "" if state == self.asked.state else state
        return self._address(day=self.day, listed=Listed.EXPECTED, state=chosen).on_page(1)

    def other_month(self, step: int) -> str:
        """Return the address of the same day a month before or after, or of that month's last one."""
        number = self.day.year * 12 + self.day.month - 1 + step
        year, month = number // 12, number % 12 + 1
        return self.on(date(year, month, min(self.day.day, monthrange(year, month)[1])))

    @property
    def before(self) -> str:
        return self.on(self.day - timedelta(days=1))

    @property
    def after(self) -> str:
        return self.on(self.day + timedelta(days=1))

    def _address(self, *, day: date, listed: Listed | None = None, state: str | None = None) -> ListAddress:
        asked = self.asked
        shown = asked.listed if listed is None else listed
        filters = {
            "day": "" if day == self.today else day,
            "q": asked.q,
            "customer": asked.customer_id,
            "software": asked.software,
            "state": asked.state if state is None else state,
            "list": "" if shown is Listed.EXPECTED else shown.value,
        }
        return ListAddress(path=PATH, filters=filters, sort="" if asked.sort == "state" else asked.sort)


def read_day(text: str) -> date:
    """Return the day that an address names. Raise BadInput."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise BadInput(WHICH_DAY) from None
    # Other spellings of a day, and days for which no time zone has rules.
    if found.isoformat() != text or not 1990 <= found.year <= 2200:
        raise BadInput(WHICH_DAY)
    return found
