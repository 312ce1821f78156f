"""Who may do what: one table. Rights follow the role that is active in a session."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a user can be; he has one or more, and exactly one is active."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"
    REPORTER = "reporter"


class Right(StrEnum):
    """One thing that a route asks for. The value is the word shown on the page that refuses it."""

    SEE_DASHBOARD = "see the dashboard"
    OWN_ACCOUNT = "manage one's own account"
    READ_DOCUMENTATION = "read the documentation"
    GIVE_FEEDBACK = "give feedback"

    SEE_RUN_CHECKS = "see Run Checks"
    REVIEW_RUNS = "review runs"
    MARK_AS_SUCCESS = "mark runs as success"
    UNDO_OWN_REVIEW = "undo one's own review"
    UNDO_ANY_REVIEW = "undo anybody's review"
    INCLUDE_REVIEWED = "include reviewed runs"

    SEE_INBOX = "see the Inbox"
    WORK_INBOX = "work on the Inbox"
    SEE_MAILS = "read mails"
    SEE_CUSTOMERS = "see customers"
    EDIT_CUSTOMERS = "change customers"
    SEE_JOBS = "see jobs"
    EDIT_JOBS = "change jobs"
    SEE_DAILY_JOBS = "see Daily Jobs"
    SEE_TICKETS = "see tickets and remarks"
    EDIT_TICKETS = "change tickets and remarks"
    SEE_OVERRIDES = "see overrides"
    EDIT_OVERRIDES = "change overrides"
    SEE_REPORTS = "see reports"
    EDIT_REPORTS = "define and generate reports"

    EDIT_GLOBAL_OVERRIDES = "change global overrides"
    DELETE_OVERRIDES = "delete overrides"
    DELETE_JOBS = "delete jobs"
    SEE_ARCHIVED_JOBS = "see archived jobs"
    UNARCHIVE_JOBS = "take jobs out of the archive"
    SEE_DELETED_MAILS = "see deleted mails"
    SEE_PARSERS = "see parsers"
    SEE_AUDIT_LOG = "see the audit log"
    MANAGE_SETTINGS = "change settings"
    MANAGE_USERS = "manage users"
    MAINTAIN = "do maintenance"
    DELETE_FEEDBACK = "delete feedback for good"


_EVERYBODY = frozenset({Right.SEE_DASHBOARD, Right.OWN_ACCOUNT, Right.READ_DOCUMENTATION, Right.GIVE_FEEDBACK})
_READS_ALL = frozenset(
    {
        Right.SEE_INBOX,
        Right.SEE_MAILS,
        Right.SEE_CUSTOMERS,
        Right.SEE_JOBS,
        Right.SEE_DAILY_JOBS,
        Right.SEE_TICKETS,
        Right.SEE_OVERRIDES,
        Right.SEE_REPORTS,
    }
)
_DAILY_WORK = frozenset(
    {
        Right.SEE_RUN_CHECKS,
        Right.REVIEW_RUNS,
        Right.MARK_AS_SUCCESS,
        Right.UNDO_OWN_REVIEW,
        Right.WORK_INBOX,
        Right.EDIT_CUSTOMERS,
        Right.EDIT_JOBS,
        Right.EDIT_TICKETS,
        Right.EDIT_OVERRIDES,
        Right.EDIT_REPORTS,
    }
)

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.ADMIN: frozenset(Right),
    Role.OPERATOR: _EVERYBODY | _READS_ALL | _DAILY_WORK,
    Role.VIEWER: _EVERYBODY | _READS_ALL,
    Role.REPORTER: _EVERYBODY | {Right.SEE_REPORTS, Right.EDIT_REPORTS},
}


def may(role: Role, right: Right) -> bool:
    return right in RIGHTS[role]
