"""How the import of mails does, in facts for the top of its settings."""

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from sqlalchemy.orm import Session

from functions.http_api.formats import duration, plural, when
from functions.http_api.mail_source import mail_source
from functions.http_api.pipeline import signs
from functions.http_api.pipeline.signs import Sign
from shared.clients.graph_login import Identity, identity_of
from shared.domain.mailflow import Source
from shared.queries.pipeline import (
    FolderState,
    ImportState,
    Read,
    ReadSource,
    Waiting,
    folder_states,
    import_state,
    last_reads,
    waiting,
)
from shared.settings import BadSetting, settings


@dataclass(frozen=True, kw_only=True, slots=True)
class MailState:
    """What the page says first. `facts` are pairs of a label and what stands beside it."""

    source: ReadSource
    signs: list[Sign]
    facts: list[tuple[str, str]]
    error: str
    error_at: datetime | None
    folders: list[FolderState]


def mail_state(db: Session, now: datetime) -> MailState:
    source = mail_source()
    state, folders, waits = import_state(db, source), folder_states(db, source.address), waiting(db)
    last = next(iter(last_reads(db, 1, source)), None)
    is_graph = source.source is Source.GRAPH
    facts = [("Mails come from", _origin(source)), ("Last read", _last_read(last, now))]
    if is_graph:
        facts[1:1] = [("Signs in with", _credential())]
        facts.append(("Moves", _moves(waits)))
    dots = [signs.read_sign(state, now)]
    if is_graph:
        dots.append(signs.notifications_sign(folders, state, now, public_url=settings().public_url))
        dots.append(signs.waiting_sign(waits, now))
    return MailState(
        source=source,
        signs=dots,
        facts=facts,
        error=_error(state, last),
        error_at=state.last_error_at or (last.started_at if last and last.error else None),
        folders=folders,
    )


def _origin(source: ReadSource) -> str:
    if source.source is not Source.GRAPH:
        return f"The folder {settings().mail_folder}. Set GRAPH_MAILBOX to read a mailbox instead."
    stand_in = (
        f" at {settings().graph_base_url}, a stand-in for Microsoft Graph" if settings().graph_is_loopback else ""
    )
    return f"The mailbox {source.address}{stand_in}"


def _credential() -> str:
    """Return which credential the environment sets; never a value of it."""
    try:
        identity = identity_of(settings())
    except BadSetting as problem:
        return f"Not set. {problem}"
    words = identity.value[0].upper() + identity.value[1:]
    return words if identity is Identity.NONE else f"{words} (set by the environment)"


def _last_read(last: Read | None, now: datetime) -> str:
    if last is None:
        return "Never"
    began = Markup("{}").format(when(last.started_at, now))
    if last.finished_at is None:
        return began + ", not finished"
    took = duration(last.finished_at - last.started_at)
    return began + f", in {took}: {plural(last.counts.get('new', 0), 'new mail')}"


def _moves(waits: Waiting) -> str:
    given_up = f", {waits.moves_given_up:,} given up" if waits.moves_given_up else ""
    return f"{waits.moves:,} waiting{given_up}"


def _error(state: ImportState, last: Read | None) -> str:
    return state.last_error or (last.error if last else "")
