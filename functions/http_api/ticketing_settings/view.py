"""What the page of the ticketing settings shows. Asks the database alone, never Autotask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from functions.http_api.formats import plural
from shared.domain.status import Status
from shared.domain.ticket import TicketSource
from shared.domain.ticket_choices import CHOICE_FIELDS
from shared.domain.ticket_text import (
    DESCRIPTION,
    PLACEHOLDERS,
    TITLE,
    JobTrouble,
    TicketFacts,
    description_of,
    title_of,
    unknown_names,
)
from shared.domain.ticketing import ReferenceKind
from shared.queries.ticketing_settings import (
    Choice,
    SystemState,
    doubted_companies,
    last_trouble,
    mapping_counts,
    system_state,
    ticketing_choices,
    uses_autotask,
)
from shared.services.draft_ticket import ticket_facts
from shared.services.ticketing_breaker import OpenBreaker, open_breaker
from shared.services.ticketing_settings import is_tested
from shared.settings import settings

EXAMPLE = TicketFacts(
    customer="Aspen Dental",
    jobs=(
        JobTrouble(
            job="Nightly VMs",
            software="Veeam Backup & Replication",
            backup_type="Backup job",
            status=Status.FAILED,
            time="2 March 2026, 22:00",
            message="1 of 14 objects failed",
            objects=("SQL01: failed, There is not enough space on the disk",),
        ),
    ),
    link="https://backups.example/jobs/1",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Now:
    """How Autotask does. `credentials` are pairs of a variable and whether it is set."""

    credentials: tuple[tuple[str, bool], ...]
    stand_in: str
    breaker: OpenBreaker | None
    is_tested: bool
    is_used: bool
    state: SystemState


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a ticket would say. `unknown` are the names in the templates that stand for nothing."""

    title: str
    description: str
    unknown: tuple[str, ...]
    of: str  # whose run it is about; nothing for an invented one


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedChoices:
    """The choices that were fetched, and how many of which kind."""

    at: datetime | None
    is_known: bool
    counts: tuple[str, ...]


def shown(
    db: Session,
    typed: Any,  # noqa: ANN401 -- the settings in force, or what somebody typed
    *,
    errors: Mapping[str, str] | None = None,
    problem: str = "",
    choices_said: str = "",
    choices_trouble: str = "",
) -> dict[str, Any]:
    """Return what the page is made of."""
    choices, system = ticketing_choices(db), now_of(db)
    return {
        "typed": typed,
        "errors": {**_unfit(typed, choices), **(errors or {})},
        "problem": problem,
        "choices": {kind.name: values for kind, values in choices.items()},
        "cached": _cached(system.state.choices_at, choices),
        "choices_said": choices_said,
        "choices_trouble": choices_trouble,
        "system": system,
        "mapping": mapping_counts(db),
        "doubted": doubted_companies(db),
        "preview": preview_of(db, typed.title_template, typed.description_template),
        "placeholders": PLACEHOLDERS,
        "usual_title": TITLE,
        "usual_description": DESCRIPTION,
    }


def now_of(db: Session) -> Now:
    return Now(
        credentials=(
            ("AUTOTASK_USERNAME", bool(settings().autotask_username)),
            ("AUTOTASK_SECRET", bool(settings().autotask_secret)),
            ("AUTOTASK_INTEGRATION_CODE", bool(settings().autotask_integration_code)),
        ),
        stand_in=settings().autotask_base_url if settings().autotask_is_loopback else "",
        breaker=open_breaker(db, settings()),
        is_tested=is_tested(db, settings()),
        is_used=uses_autotask(db),
        state=system_state(db),
    )


def preview_of(db: Session, title: str, description: str) -> Preview:
    """Return the templates filled with the last run that went wrong, or with an invented one."""
    found = last_trouble(db)
    facts = ticket_facts(db, found, public_url=settings().public_url) if found else EXAMPLE
    worst = facts.jobs[0]
    return Preview(
        title=title_of(facts, title),
        description=description_of(facts, description),
        unknown=tuple(dict.fromkeys((*unknown_names(title), *unknown_names(description)))),
        of=f"{facts.customer}, {worst.job}, {worst.status.value} {worst.time}" if found else "",
    )


def _unfit(typed: Any, choices: Mapping[ReferenceKind, list[Choice]]) -> dict[str, str]:  # noqa: ANN401
    """Return a sentence for each choice that is not active any more, where tickets are made with it."""
    if typed.provider != TicketSource.AUTOTASK:
        return {}
    return {
        field: f"“{choice.label}” is not active at Autotask any more. Choose another one."
        for field, about in CHOICE_FIELDS.items()
        for choice in choices[about.kind]
        if choice.id == getattr(typed, field) and not choice.is_active
    }


def _cached(at: datetime | None, choices: Mapping[ReferenceKind, list[Choice]]) -> CachedChoices:
    active = {kind: sum(each.is_active for each in values) for kind, values in choices.items()}
    return CachedChoices(
        at=at,
        is_known=any(choices.values()),
        counts=tuple(plural(active[kind], kind.value, _PLURALS.get(kind, "")) for kind in ReferenceKind),
    )


_PLURALS = {ReferenceKind.STATUS: "statuses", ReferenceKind.PRIORITY: "priorities"}
