"""Tests the connection to Autotask step by step, and says in words what is wrong. Changes nothing there."""

import logging
from collections.abc import Callable, Iterator

from shared.clients import autotask_reference as reference
from shared.clients.autotask_breaker import Breaker, InMemoryBreaker
from shared.clients.autotask_connection import Connection, credentials_of
from shared.clients.autotask_line import Ask, AutotaskLine
from shared.clients.autotask_queries import Op, first_rows, where
from shared.clients.autotask_rows import CompanyRow, DeletionRow, EntityAnswer, EntityInfo, checked
from shared.clients.autotask_wire import Recorder
from shared.clients.connection_report import ConnectionReport, State, Step, skipped
from shared.clients.errors import (
    BadCredentials,
    InvalidData,
    NotAllowed,
    Refused,
    Throttled,
    Unavailable,
    UnknownIntegrationCode,
    UnknownUser,
    Upstream,
    WrongSecret,
)
from shared.clients.patience import HASTY
from shared.domain.ticketing import Pace
from shared.settings import BadSetting, Settings

log = logging.getLogger(__name__)

NO_TICKET = 0  # an id that no ticket has


def try_connection(settings: Settings, *, breaker: Breaker, record: Recorder | None = None) -> ConnectionReport:
    """Return what works, step by step; never raises.

    This is how a person closes the breaker: it is passed by, closed when the sign-in works, opened when it does not.
    """
    try:
        connection = Connection(settings.autotask_base_url, credentials_of(settings), patience=HASTY)
    except BadSetting as problem:
        return (Step(name="Settings", state=State.FAILED, says=f"{problem}."),)
    try:
        return tuple(_Trial(AutotaskLine(connection, breaker=InMemoryBreaker(), record=record), breaker).steps())
    except Exception:
        log.exception("the connection test broke off")
        return (Step(name="Test", state=State.FAILED, says="The test itself broke off; the log of the app says why."),)
    finally:
        connection.close()


class _Trial:
    def __init__(self, line: AutotaskLine, breaker: Breaker) -> None:
        self._line = line
        self._breaker = breaker
        self._goes_on = True

    def steps(self) -> Iterator[Step]:
        yield self._step("User", self._find_user, needed=True)
        yield self._step("Sign-in", self._sign_in, needed=True)
        yield self._step("Tickets", self._look_at_tickets)
        yield self._step("Notes", self._look_at_notes)
        yield self._step("Keys", self._look_at_keys)
        yield self._step("Companies", self._read_companies)
        yield self._step("Deleted tickets", self._read_deletions)

    def _step(self, name: str, attempt: Callable[[], str], *, needed: bool = False) -> Step:
        """Try it; where a needed step failed, nothing after it says anything new."""
        if not self._goes_on:
            return skipped(name, "Not tried, because a step before it failed.")
        try:
            return Step(name=name, state=State.OK, says=attempt())
        except Upstream as problem:
            self._goes_on = not needed
            return Step(name=name, state=State.FAILED, says=_in_words(problem))

    def _find_user(self) -> str:
        return f"Autotask knows the user; his tenant is in the zone {self._line.find_zone().name or 'without a name'}."

    def _sign_in(self) -> str:
        """Ask for what needs no right and takes no argument: what is refused here is who we are."""
        try:
            usage = reference.usage(self._line)
        except BadCredentials as problem:
            self._breaker.open(str(problem))
            raise
        except InvalidData as problem:
            raise UnknownIntegrationCode(str(problem)) from problem
        self._breaker.close()
        full = " Polling pauses until there are fewer." if usage.pace is Pace.PAUSED else ""
        return f"Signed in. All applications together made {usage.used:,} of {usage.limit:,} requests an hour.{full}"

    def _look_at_tickets(self) -> str:
        rights = self._rights("Tickets")
        if not (rights.can_create and rights.can_update):
            raise NotAllowed("the security level of the user must let him add and edit tickets")
        return "They can be read, made and changed."

    def _look_at_notes(self) -> str:
        if not self._rights("TicketNotes").can_create:
            raise NotAllowed("the security level of the user must let him add notes to tickets")
        return "They can be added."

    def _look_at_keys(self) -> str:
        """A ticket whose answer was lost is found by its key or made twice."""
        fields = {each.name: each for each in reference.fields_of(self._line, "Tickets")}
        if "externalID" not in fields or not fields["externalID"].is_queryable:
            raise Refused("tickets can't be looked up by their external ID, without which one could be made twice")
        return "Tickets can be found by the key that they are made under."

    def _read_companies(self) -> str:
        first_rows(self._line, "Companies", CompanyRow, where("isActive", Op.EQ, True), most=1)
        return "They can be read."

    def _read_deletions(self) -> str:
        try:
            first_rows(self._line, "DeletedTicketLogs", DeletionRow, where("ticketID", Op.EQ, NO_TICKET), most=1)
        except NotAllowed as problem:
            raise NotAllowed(
                "the log of deleted tickets can't be read, so that a deleted ticket stays unconfirmed; "
                "reading it takes administrator rights for the service desk"
            ) from problem
        return "Their log can be read, so that a deletion can be proven."

    def _rights(self, entity: str) -> EntityInfo:
        ask = Ask(method="GET", path=f"{entity}/entityInformation")
        return checked(EntityAnswer, self._line.call(ask)).info


def _in_words(problem: Upstream) -> str:
    match problem:
        case UnknownUser() | WrongSecret() | UnknownIntegrationCode():
            return _WHICH[type(problem)]
        case BadCredentials():
            return f"{_sentence(problem)} Check AUTOTASK_USERNAME, AUTOTASK_SECRET and AUTOTASK_INTEGRATION_CODE."
        case Throttled(retry_after=wait):
            when = f"in {round(wait.total_seconds())} seconds" if wait else "in a few minutes"
            return f"Autotask is throttling us, the connection works: try again {when}."
        case Unavailable():
            return f"{_sentence(problem)} Check the network and AUTOTASK_BASE_URL, or try again later."
    return _sentence(problem)


_WHICH = {
    UnknownUser: "Autotask knows no such user: check AUTOTASK_USERNAME.",
    WrongSecret: (
        "Autotask knows the user and refuses him: check AUTOTASK_SECRET, that his licence is API User, "
        "and that he is not locked. Each try counts towards a lock, so nothing else is sent for now."
    ),
    UnknownIntegrationCode: (
        "User and secret are right, the integration code is not: check AUTOTASK_INTEGRATION_CODE."
    ),
}


def _sentence(problem: Upstream) -> str:
    text = str(problem)
    return f"{text[:1].upper()}{text[1:]}."
