"""The form of an override: what a browser sends of it, and what it begins with."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Form

from functions.http_api.formats import ui_zone
from shared.domain.overrides import Problem
from shared.domain.typed_override import Draft, TypedOverride, read_override, usual_last_day


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """All fields of the form; an unticked box sends nothing."""

    level: Annotated[str, Form()] = ""
    job_id: Annotated[str, Form()] = ""
    object_name: Annotated[str, Form()] = ""
    software: Annotated[str, Form()] = ""
    backup_type: Annotated[str, Form()] = ""
    status: Annotated[str, Form()] = ""
    mode: Annotated[str, Form()] = ""
    text: Annotated[str, Form()] = ""
    failed: Annotated[bool, Form()] = False
    missed: Annotated[bool, Form()] = False
    unreadable: Annotated[bool, Form()] = False
    starts_on: Annotated[str, Form()] = ""
    ends_on: Annotated[str, Form()] = ""
    reason: Annotated[str, Form()] = ""
    afterwards: Annotated[bool, Form()] = False

    @property
    def typed(self) -> TypedOverride:
        return TypedOverride(**asdict(self))


def draft_of(typed: TypedOverride, now: datetime) -> Draft:
    """Return what was typed, its days being those of the pages. Raise Mistyped."""
    return read_override(typed, now=now, zone=ui_zone())


def first_typed(*, level: str, job_id: str, problem: Problem | None, now: datetime) -> TypedOverride:
    """Return what the form begins with: of a run's problem, its own words. That it covers failures is left to tick."""
    ends_on = usual_last_day(now, ui_zone()).isoformat()
    if problem is None:
        return TypedOverride(level=level, job_id=job_id, ends_on=ends_on)
    return TypedOverride(
        level=level,
        job_id=job_id,
        object_name=problem.object_name or "",
        text=problem.text,
        ends_on=ends_on,
    )


def carried(typed: TypedOverride) -> list[tuple[str, str]]:
    """Return what a browser would send of a form, for a page that carries it along; the last box is its own."""
    fields = asdict(typed)
    del fields["afterwards"]
    return [(name, "true" if value is True else value) for name, value in fields.items() if value]
