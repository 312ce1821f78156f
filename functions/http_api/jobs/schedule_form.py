"""The form of a schedule: what a browser sends of it, and what a preview carries along."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form

from shared.domain.typed_schedule import MOST_PARTS, Typed, TypedPart

Texts = Annotated[list[str], Form(default_factory=list)]

_OF_A_PART = ("days", "every_weeks", "anchor", "month_day", "nth", "weekday", "pace", "times")
_OF_A_PACE = ("every_minutes", "first", "last")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """All parts of the form: each field once a part, in their order. A ticked weekday is `part-weekday`.

    `more` is the button that adds a part, or takes the one away that it numbers.
    """

    days: Texts
    weekdays: Texts
    every_weeks: Texts
    anchor: Texts
    month_day: Texts
    nth: Texts
    weekday: Texts
    pace: Texts
    times: Texts
    every_minutes: Texts
    first: Texts
    last: Texts
    grace: Annotated[str, Form()] = ""
    more: Annotated[str, Form()] = ""
    version: Annotated[str, Form()] = ""

    @property
    def typed(self) -> Typed:
        numbers = range(min(max(len(self.days), 1), MOST_PARTS))
        return Typed(parts=tuple(map(self._part, numbers)), grace=self.grace)

    @property
    def with_more(self) -> Typed:
        """What was typed, with the part added or taken away that a button asked for."""
        parts = self.typed.parts
        if self.more == "add" and len(parts) < MOST_PARTS:
            parts = (*parts, TypedPart(days="weekly"))
        elif self.more.isdecimal() and len(parts) > 1:
            parts = tuple(part for number, part in enumerate(parts) if str(number) != self.more)
        return Typed(parts=parts, grace=self.grace)

    def _part(self, number: int) -> TypedPart:
        sent = {name: _nth(getattr(self, name), number) for name in (*_OF_A_PART, *_OF_A_PACE)}
        ticked = [word.removeprefix(f"{number}-") for word in self.weekdays if word.startswith(f"{number}-")]
        return TypedPart(**sent, weekdays=frozenset(int(day) for day in ticked if day in "0123456" and len(day) == 1))


def fields_of(typed: Typed) -> Iterator[tuple[str, str]]:
    """Yield what a browser would send of a form, for a page that carries it along."""
    for number, part in enumerate(typed.parts):
        yield from ((name, getattr(part, name)) for name in (*_OF_A_PART, *_OF_A_PACE))
        yield from (("weekdays", f"{number}-{day}") for day in sorted(part.weekdays))
    yield "grace", typed.grace


def _nth(texts: Sequence[str], number: int) -> str:
    return texts[number] if number < len(texts) else ""
