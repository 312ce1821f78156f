"""What the pages of the ticketing settings share: where they are, for whom, and what stands in the form."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Form

from functions.http_api.deps import CurrentUser, require
from shared.domain.permissions import Right
from shared.services.ticketing_settings import TypedTicketingSettings

PATH = "/manage/settings/autotask"
Keeper = Annotated[CurrentUser, require(Right.MANAGE_SETTINGS)]
Text = Annotated[str, Form()]


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What stands in the form."""

    provider: Text = ""
    queue_id: Text = ""
    new_status_id: Text = ""
    priority_failed_id: Text = ""
    priority_missed_id: Text = ""
    priority_warning_id: Text = ""
    ticket_source_id: Text = ""
    issue_type_id: Text = ""
    sub_issue_type_id: Text = ""
    resolved_status_id: Text = ""
    closed_status_ids: Annotated[tuple[str, ...], Form()] = ()
    note_type_id: Text = ""
    note_audience_id: Text = ""
    due_hours: Text = ""
    poll_minutes: Text = ""
    resolve_after_good: Text = ""
    title_template: Text = ""
    description_template: Text = ""

    @property
    def settings(self) -> TypedTicketingSettings:
        fields = TypedTicketingSettings.__dataclass_fields__
        return TypedTicketingSettings(**{field: getattr(self, field) for field in fields})
