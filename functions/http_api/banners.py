"""What every page says first while it is true: that this is a sandbox, that mails are not read."""

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from sqlalchemy.orm import Session

from functions.http_api import formats
from functions.http_api.deps import CurrentUser
from functions.http_api.mail_source import mail_source, source_name
from shared.clients.graph_login import identity_of
from shared.domain.permissions import Right
from shared.domain.watch import longest_unread
from shared.queries.pipeline import ImportState, import_state
from shared.settings import BadSetting, settings

MAIL_SETTINGS = "/manage/settings/mail"
PIPELINE = "/manage/pipeline"
NOT_JUDGED = "Missed runs are not judged until it is."


@dataclass(frozen=True, kw_only=True, slots=True)
class Banner:
    """One line over the page; `href` leads to the details, for those who may see them."""

    kind: str
    text: str
    href: str = ""


def banners_for(db: Session, user: CurrentUser, *, now: datetime) -> list[Banner]:
    """Return what is true now and concerns this user; one statement."""
    state = import_state(db, mail_source())
    sandbox = Banner(kind="info", text="This is a sandbox: nothing is changed in the ticketing system.")
    return [*([sandbox] if state.is_sandbox else []), *_about_import(state, user, now)]


def _about_import(state: ImportState, user: CurrentUser, now: datetime) -> list[Banner]:
    if not state.enabled and user.may(Right.MANAGE_SETTINGS):
        text = "Automatic import is switched off: mails come in only by hand, and missed runs are not judged."
        return [Banner(kind="info", text=text, href=MAIL_SETTINGS)]
    if state.enabled and (trouble := _trouble(state)):
        href = MAIL_SETTINGS if user.may(Right.MANAGE_SETTINGS) else ""
        why = trouble if href else "An administrator has to see to it."
        return [Banner(kind="danger", text=f"The {source_name()} cannot be read: {why}", href=href)]
    if text := _not_read(state, now):
        return [Banner(kind="warning", text=text, href=PIPELINE if user.may(Right.MAINTAIN) else "")]
    return []


def _trouble(state: ImportState) -> str:
    """Return what a person has to mend before mails can be read, else nothing."""
    if settings().graph_mailbox:
        try:
            identity_of(settings())
        except BadSetting as problem:
            return str(problem)
    return state.last_error if state.needs_person else ""


def _not_read(state: ImportState, now: datetime) -> str:
    """Return the sentence about mails that were not read for too long, else nothing."""
    since = state.covered_until or state.first_read_at or state.on_since
    if since is None or now - since <= longest_unread(state.interval):
        return ""
    if state.covered_until is None:
        return f"The {source_name()} has never been read to its end. {NOT_JUDGED}"
    read = Markup("The {} has not been read since {}.").format(source_name(), formats.when(since, now))
    return read + f" {NOT_JUDGED}"
