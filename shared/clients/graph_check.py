"""Tests the connection to the mailbox step by step, and says in words what is wrong. Changes nothing."""

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from urllib.parse import urlsplit

from shared.clients import graph_asks as asks
from shared.clients.connection_report import ConnectionReport, State, Step, skipped
from shared.clients.errors import BadCredentials, NotAllowed, NotFound, Refused, Throttled, Unavailable, Upstream
from shared.clients.graph import connect
from shared.clients.graph_line import GraphLine
from shared.clients.graph_login import Identity, identity_of
from shared.clients.patience import HASTY
from shared.settings import BadSetting, Settings

log = logging.getLogger(__name__)

INBOX: Mapping[str, str] = {"inbox": "Inbox"}
NO_MAIL = "AAMkAGNoLW1haWwtaGFzLXRoaXMtaWQ="  # an id that no mail has


def try_connection(
    settings: Settings,
    *,
    folders: Mapping[str, str] = INBOX,
    moves: bool = True,
    other_address: str | None = None,
) -> ConnectionReport:
    """Return what works, step by step; never raises.

    `folders` are those that are read, ids to paths. `moves` tells whether mails are to be moved. `other_address` is a
    mailbox that the app must not reach.
    """
    try:
        line = connect(settings, patience=HASTY)
    except BadSetting as problem:
        return (Step(name="Settings", state=State.FAILED, says=f"{problem}."),)
    try:
        return tuple(_Trial(line, settings).steps(folders, moves=moves, other_address=other_address))
    except Exception:
        log.exception("the connection test broke off")
        return (Step(name="Test", state=State.FAILED, says="The test itself broke off; the log of the app says why."),)
    finally:
        line.close()


class _Trial:
    def __init__(self, line: GraphLine, settings: Settings) -> None:
        self._line = line
        self._settings = settings
        self._mailbox = settings.graph_mailbox
        self._goes_on = True

    def steps(self, folders: Mapping[str, str], *, moves: bool, other_address: str | None) -> Iterator[Step]:
        yield self._step("Sign-in", self._sign_in, needed=True)
        yield self._step("Mailbox", self._find_mailbox, needed=True)
        for folder_id, path in folders.items():
            yield self._step(f"Folder {path}", partial(self._read, folder_id))
        yield self._step("Moving mails", self._move) if moves else skipped("Moving mails", "Moving is switched off.")
        if other_address:
            yield self._step("Other mailboxes", partial(self._try_other, other_address))
        else:
            yield skipped("Other mailboxes", "Give the address of another mailbox to see that it is out of reach.")

    def _step(self, name: str, attempt: Callable[[], str | Step], *, needed: bool = False) -> Step:
        """Try it; where a needed step failed, nothing after it says anything new."""
        if not self._goes_on:
            return skipped(name, "Not tried, because a step before it failed.")
        try:
            says = attempt()
        except Upstream as problem:
            self._goes_on = not needed
            return Step(name=name, state=State.FAILED, says=self._in_words(problem))
        return says if isinstance(says, Step) else Step(name=name, state=State.OK, says=says)

    def _sign_in(self) -> str:
        identity = identity_of(self._settings)
        self._line.sign_in()
        return f"Signed in with {identity}." if identity is not Identity.NONE else f"There is {identity}."

    def _find_mailbox(self) -> str:
        try:
            self._line.call(asks.folder(self._mailbox, "inbox"))
        except NotFound as problem:
            raise _Said(f"Microsoft Graph knows no mailbox {self._mailbox}: check GRAPH_MAILBOX.") from problem
        return f"The mailbox {self._mailbox} is there."

    def _read(self, folder_id: str) -> str:
        try:
            self._line.call(asks.newest(self._mailbox, folder_id))
        except NotFound as problem:
            raise _Said("The folder is not in the mailbox any more: choose the folders again.") from problem
        return "Its mails can be read."

    def _move(self) -> str:
        """Move a mail that isn't there: who may not move at all is refused before anything is looked for."""
        try:
            self._line.call(asks.move(self._mailbox, NO_MAIL, "inbox"))
        except (NotFound, Refused):
            return "A move was not refused."
        except NotAllowed as problem:
            raise _Said(
                "Mails can be read but not moved: the identity needs the permission Mail.ReadWrite, "
                "or moving must be switched off."
            ) from problem
        return "A move was not refused."

    def _try_other(self, address: str) -> str | Step:
        if address.strip().lower() == self._mailbox:
            return skipped("Other mailboxes", "That is the mailbox itself: give the address of another one.")
        try:
            self._line.call(asks.folder(address.strip(), "inbox"))
        except NotAllowed:
            return f"The mailbox {address.strip()} is out of reach, as it should be."
        except NotFound:
            return skipped("Other mailboxes", f"There is no mailbox {address.strip()}: give that of an existing one.")
        raise _Said(
            f"The app can also read the mailbox {address.strip()}: take back the tenant-wide permission "
            "in Microsoft Entra, and grant access to the one mailbox in Exchange."
        )

    def _in_words(self, problem: Upstream) -> str:
        host = urlsplit(self._settings.graph_base_url).netloc
        match problem:
            case _Said():
                return str(problem)
            case Throttled(retry_after=wait):
                when = f"in {round(wait.total_seconds())} seconds" if wait else "in a few minutes"
                return f"Microsoft Graph is throttling us, the connection works: try again {when}."
            case Unavailable():
                return f"{problem} ({host}): check the network and GRAPH_BASE_URL, or try again later."
            case BadCredentials():
                return f"{_capital(str(problem))}."
            case NotAllowed():
                return (
                    "The sign-in works, but the identity has no right to this mailbox: grant it in Exchange "
                    "or consent in Microsoft Entra. A grant takes 30 minutes to 2 hours to work."
                )
        return f"{problem}."


class _Said(Upstream):
    """A refusal whose sentence is ready."""


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
