"""Which choices of the ticketing system the settings hold, and which of them a ticket can't do without."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.ticketing import ReferenceKind


@dataclass(frozen=True, kw_only=True, slots=True)
class ChoiceField:
    """A setting that is one of the tenant's choices. `label` is what pages call it, in the middle of a sentence.

    What isn't needed has something usual: the priority of failed runs, or what every tenant has.
    """

    kind: ReferenceKind
    label: str
    is_needed: bool = False


CHOICE_FIELDS: Mapping[str, ChoiceField] = {
    "queue_id": ChoiceField(kind=ReferenceKind.QUEUE, label="queue", is_needed=True),
    "new_status_id": ChoiceField(kind=ReferenceKind.STATUS, label="status of new tickets"),
    "priority_failed_id": ChoiceField(kind=ReferenceKind.PRIORITY, label="priority of failed runs", is_needed=True),
    "priority_missed_id": ChoiceField(kind=ReferenceKind.PRIORITY, label="priority of missed runs"),
    "priority_warning_id": ChoiceField(kind=ReferenceKind.PRIORITY, label="priority of warnings"),
    "ticket_source_id": ChoiceField(kind=ReferenceKind.SOURCE, label="source"),
    "issue_type_id": ChoiceField(kind=ReferenceKind.ISSUE_TYPE, label="issue type"),
    "sub_issue_type_id": ChoiceField(kind=ReferenceKind.SUB_ISSUE_TYPE, label="sub issue type"),
    "resolved_status_id": ChoiceField(kind=ReferenceKind.STATUS, label="status of resolved tickets"),
    "note_type_id": ChoiceField(kind=ReferenceKind.NOTE_TYPE, label="type of notes"),
    "note_audience_id": ChoiceField(kind=ReferenceKind.NOTE_AUDIENCE, label="audience of notes"),
}
OF_NEW_TICKETS = tuple(list(CHOICE_FIELDS)[:8])  # what a creation sends
