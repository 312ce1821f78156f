"""Changes how tickets are made. Each change is in the audit log, before and after."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.clients.autotask_tickets import COMPLETE
from shared.clients.connection_report import ConnectionReport, State
from shared.domain.ticket import TicketSource
from shared.domain.ticket_choices import CHOICE_FIELDS, ChoiceField
from shared.domain.ticket_text import DESCRIPTION, TITLE, unknown_names
from shared.domain.ticketing import ReferenceKind
from shared.models.ticketing import TicketingChoice, TicketingSettings, TicketingState
from shared.services.audit import Actor
from shared.services.edit_settings import Bounds, UnfitSettings, change_row, checked, number_checks
from shared.services.errors import BadInput
from shared.services.ticketing_breaker import credentials_print
from shared.settings import Settings

LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 4_000
MAY_FAIL = "Deleted tickets"  # the one step of a connection test that nothing else depends on

Choices = Mapping[tuple[ReferenceKind, str], TicketingChoice]


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedTicketingSettings:
    """How tickets are made, as somebody typed it; choices by their ids, nothing for the usual one."""

    provider: str
    queue_id: str
    new_status_id: str
    priority_failed_id: str
    priority_missed_id: str
    priority_warning_id: str
    ticket_source_id: str
    issue_type_id: str
    sub_issue_type_id: str
    resolved_status_id: str
    closed_status_ids: tuple[str, ...]
    note_type_id: str
    note_audience_id: str
    due_hours: str
    poll_minutes: str
    resolve_after_good: str
    title_template: str
    description_template: str


BOUNDS: Mapping[str, Bounds] = {
    "due_hours": Bounds(1, 720, "hours"),
    "poll_minutes": Bounds(5, 1440, "minutes"),
}
_GOOD_RUNS = Bounds(1, 30, "runs")


def edit_ticketing_settings(db: Session, typed: TypedTicketingSettings, *, actor: Actor, now: datetime) -> bool:
    """Store how tickets are made; tell whether anything changed. Raise UnfitSettings."""
    settings = db.get_one(TicketingSettings, 1, with_for_update=True)
    choices = {(each.kind, each.choice_id): each for each in db.scalars(select(TicketingChoice))}
    wanted = checked(asdict(typed), _checks(settings, typed, choices))
    if problem := _contradiction(wanted, choices):
        raise UnfitSettings(problem)
    return change_row(db, settings, wanted, actor, now)


def keep_test(db: Session, report: ConnectionReport, settings: Settings, *, now: datetime) -> bool:
    """Remember a connection test in which all went well that tickets need; return whether it did."""
    is_good = all(step.state is State.OK or step.name == MAY_FAIL for step in report)
    values = {"tested_at": now, "tested_credentials": credentials_print(settings)} if is_good else {"tested_at": None}
    db.execute(update(TicketingState).values(values))
    return is_good


def is_tested(db: Session, settings: Settings) -> bool:
    """Return whether the last connection test went well, with the credentials that are set now."""
    state = db.execute(select(TicketingState.tested_at, TicketingState.tested_credentials)).one()
    return state.tested_at is not None and state.tested_credentials == credentials_print(settings)


def _checks(
    settings: TicketingSettings, typed: TypedTicketingSettings, choices: Choices
) -> dict[str, Callable[[], object]]:
    is_used = typed.provider == TicketSource.AUTOTASK
    return {
        "provider": partial(_provider, typed.provider),
        **{
            field: partial(_choice, about, getattr(typed, field), choices, is_used=is_used)
            for field, about in CHOICE_FIELDS.items()
        },
        "closed_status_ids": partial(_statuses, typed.closed_status_ids, choices),
        **number_checks(BOUNDS, settings, typed),
        "resolve_after_good": partial(_good_runs, typed.resolve_after_good, settings),
        "title_template": partial(_template, typed.title_template, TITLE, LONGEST_TITLE),
        "description_template": partial(_template, typed.description_template, DESCRIPTION, LONGEST_DESCRIPTION),
    }


def _provider(name: str) -> TicketSource:
    try:
        return TicketSource(name)
    except ValueError as problem:
        raise BadInput("Choose who keeps the tickets.") from problem


def _choice(about: ChoiceField, chosen: str, choices: Choices, *, is_used: bool) -> str:
    """Return what was chosen. Where Autotask isn't used yet it may stay unfit."""
    if not chosen:
        if about.is_needed and is_used:
            raise BadInput(f"Choose the {about.label}: Autotask takes no ticket without.")
        return ""
    known = choices.get((about.kind, chosen))
    if known is None:
        raise BadInput("Autotask has no such choice (any more). Choose another one.")
    if is_used and not known.is_active:
        raise BadInput(f"“{known.label}” is not active at Autotask any more. Choose another one.")
    return chosen


def _statuses(chosen: tuple[str, ...], choices: Choices) -> list[str]:
    """Return further statuses that count as closed. Tickets may still have one that is not active."""
    if any((ReferenceKind.STATUS, each) not in choices for each in chosen):
        raise BadInput("Autotask has no such status (any more). Choose again.")
    return sorted(set(chosen))


def _good_runs(text: str, settings: TicketingSettings) -> int | None:
    return _GOOD_RUNS.hold(text, unchanged=settings.resolve_after_good or 1) if text.strip() else None


def _template(text: str, usual: str, longest: int) -> str:
    """Return the template; nothing for the usual one, so that it stays the usual one when that changes."""
    tidy = text.replace("\r\n", "\n").strip()
    if len(tidy) > longest or "\x00" in tidy:
        raise BadInput(f"At most {longest:,} characters, please.")
    if unknown := unknown_names(tidy):
        raise BadInput(f"{{{unknown[0]}}} stands for nothing. The names that do are listed below.")
    return "" if tidy == usual else tidy


def _contradiction(wanted: Mapping[str, object], choices: Choices) -> dict[str, str]:
    """Return what fits by itself and not with the rest."""
    sub, issue_type = str(wanted["sub_issue_type_id"]), wanted["issue_type_id"]
    if sub and choices[ReferenceKind.SUB_ISSUE_TYPE, sub].parent_id != issue_type:
        return {"sub_issue_type_id": "This sub issue type belongs to another issue type."}
    closed = wanted["closed_status_ids"]
    assert isinstance(closed, list)
    if wanted["new_status_id"] in {wanted["resolved_status_id"] or COMPLETE, COMPLETE, *closed}:
        return {"new_status_id": "This status counts as closed, so that each new ticket would be over at once."}
    return {}
