"""The navbar: which pages there are, who sees them, and the counts beside two of them."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from functions.http_api.deps import CurrentUser
from shared.domain.permissions import Right
from shared.queries.inbox import waiting_count
from shared.queries.run_checks import jobs_to_review


@dataclass(frozen=True, kw_only=True, slots=True)
class NavCounts:
    """What waits for a person; None shows nothing."""

    run_checks: int | None = None
    inbox: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A page in the navbar. It shows to those who may see it, once the app has a route for its path."""

    label: str
    path: str
    right: Right
    count: str = ""
    in_bar: bool = False  # else under "More"


ITEMS = (
    Item("Run Checks", "/run-checks", Right.SEE_RUN_CHECKS, count="run_checks", in_bar=True),
    Item("Inbox", "/inbox", Right.SEE_INBOX, count="inbox", in_bar=True),
    Item("Jobs", "/jobs", Right.SEE_JOBS, in_bar=True),
    Item("Customers", "/customers", Right.SEE_CUSTOMERS, in_bar=True),
    Item("Dashboard", "/dashboard", Right.SEE_DASHBOARD),
    Item("Not protected now", "/not-protected", Right.SEE_JOBS),
    Item("Daily Jobs", "/daily-jobs", Right.SEE_DAILY_JOBS),
    Item("Tickets & Remarks", "/tickets", Right.SEE_TICKETS),
    Item("Overrides", "/overrides", Right.SEE_OVERRIDES),
    Item("Reports", "/reports", Right.SEE_REPORTS),
    Item("Mail ledger", "/manage/ledger", Right.SEE_INBOX),
    Item("Feedback", "/feedback", Right.GIVE_FEEDBACK),
    Item("Documentation", "/docs", Right.READ_DOCUMENTATION),
    Item("Parsers", "/parsers", Right.SEE_PARSERS),
    Item("Archived jobs", "/manage/archived-jobs", Right.SEE_ARCHIVED_JOBS),
    Item("Deleted mails", "/manage/deleted-mails", Right.SEE_DELETED_MAILS),
    Item("Audit log", "/manage/audit-log", Right.SEE_AUDIT_LOG),
    Item("Users", "/manage/users", Right.MANAGE_USERS),
    Item("Settings", "/manage/settings", Right.MANAGE_SETTINGS),
    Item("Pipeline", "/manage/pipeline", Right.MAINTAIN),
    Item("Dead letters", "/manage/dead-letters", Right.MAINTAIN),
    Item("Errands", "/manage/errands", Right.MAINTAIN),
    Item("Style guide", "/manage/styleguide", Right.MANAGE_SETTINGS),
)


def items_for(user: CurrentUser, paths: frozenset[str]) -> list[Item]:
    """Return the pages this user sees, of those the app has."""
    return [item for item in ITEMS if item.path in paths and user.may(item.right)]


def start_page(user: CurrentUser, paths: frozenset[str]) -> str:
    """Return where a user begins: Run Checks, or the first page that he sees."""
    return next((item.path for item in items_for(user, paths)), "/account")


def counts_for(db: Session, user: CurrentUser) -> NavCounts:
    """Return what waits, with one query for each count that this user sees."""
    return NavCounts(
        run_checks=jobs_to_review(db) if user.may(Right.SEE_RUN_CHECKS) else None,
        inbox=waiting_count(db) if user.may(Right.SEE_INBOX) else None,
    )
