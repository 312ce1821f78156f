"""Does one errand at the ticketing system, outside of any transaction, and says what came of it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.clients.errors import (
    BadAnswer,
    BadCredentials,
    BreakerOpen,
    InvalidData,
    NotFound,
    OutcomeUnknown,
    Throttled,
    Upstream,
    WritesBlocked,
)
from shared.domain.errand_course import BROKE_OFF, MOST_ODD_ANSWERS, SETTLES_IN, pause_after
from shared.domain.ticket import ErrandKind
from shared.domain.ticketing import NoteDraft, RemoteTicket, TicketProvider
from shared.services.claim_errands import Claim

log = logging.getLogger(__name__)

REST = timedelta(minutes=5)  # until somebody has seen to what holds everything up
LONGEST_WORDS = 2_000
HELD_UP = (BreakerOpen, BadCredentials, WritesBlocked)


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """It is done. `ticket` is how it is over there now, where that was told."""

    ticket: RemoteTicket | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """What was withdrawn is not there: it was never made, and never will be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Again:
    """Not yet. `is_lost`: what was sent may be done. `counts` as an attempt. `all_wait`: others fare no better."""

    after: timedelta
    says: str
    is_lost: bool = False
    counts: bool = True
    all_wait: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """Sending it again is no use until a person has seen to it. `reference_is_stale`: ask for the choices anew."""

    says: str
    reference_is_stale: bool = False


Outcome = Done | Gone | Again | Failed


def run_errand(provider: TicketProvider, claim: Claim, *, about_to_send: Callable[[], None]) -> Outcome:
    """Do what is claimed. Never raises: one errand must not stop the others.

    `about_to_send` is called before something is made, and may raise: then it isn't.
    """
    try:
        return _run(provider, claim, about_to_send)
    except Upstream as problem:
        return _after(problem, claim)
    except Exception:
        log.exception("an errand broke off", extra={"errand_id": claim.errand_id})
        return broke_off(claim)


def broke_off(claim: Claim) -> Again:
    """Return what follows when the app itself failed over an errand: nobody knows how far it got."""
    after = max(SETTLES_IN, pause_after(claim.attempt))
    return Again(after=after, says=BROKE_OFF, is_lost=True, all_wait=False)


def _run(provider: TicketProvider, claim: Claim, about_to_send: Callable[[], None]) -> Outcome:
    if claim.kind is ErrandKind.RESOLVE:
        return Done(ticket=provider.resolve(claim.remote_id, _resolution(claim), known=claim.known))
    if claim.may_exist and (found := _found(provider, claim)) is not None:
        return found
    if not claim.is_to_be_sent:
        return Gone() if claim.is_withdrawn else Failed(says=claim.held_back)
    about_to_send()
    if claim.draft is not None:
        return Done(ticket=provider.create(claim.draft))
    provider.add_note(claim.remote_id, _note(claim), known=claim.known)
    return Done()


def _found(provider: TicketProvider, claim: Claim) -> Done | None:
    """Look for what an earlier attempt may have made."""
    if claim.kind is ErrandKind.NOTE:
        return Done() if provider.find_note(claim.remote_id, claim.key) else None
    found = provider.find(claim.key)
    return None if found is None else Done(ticket=found)


def _note(claim: Claim) -> NoteDraft:
    return NoteDraft(key=claim.key, title=claim.content["title"], text=claim.content["text"])


def _resolution(claim: Claim) -> str:
    """Return our line for the resolution: some rules over there demand one."""
    text = str(claim.content.get("text", "")).strip()
    return f"Resolved in Backupchecks: {text}" if text else "Resolved in Backupchecks."


def _after(problem: Upstream, claim: Claim) -> Outcome:
    match problem:
        case InvalidData(says=says, reference_is_stale=stale):
            return Failed(says=_told(problem, *says), reference_is_stale=stale)
        case NotFound() if claim.kind is not ErrandKind.CREATE:
            return Failed(says="The ticket is not to be seen over there: it was deleted, or hidden from our user.")
    is_odd = isinstance(problem, BadAnswer) and claim.attempt < MOST_ODD_ANSWERS
    if problem.retryable or is_odd or isinstance(problem, HELD_UP):
        return _again(problem, claim)
    return Failed(says=_told(problem))


def _again(problem: Upstream, claim: Claim) -> Again:
    """Only an unknown outcome may have got through; what else fails for now was not sent, or only looked."""
    pause, says = pause_after(claim.attempt), _told(problem)
    match problem:
        case OutcomeUnknown(settles_in=wait):
            return Again(after=max(wait, pause), says=says, is_lost=True, all_wait=False)
        case Throttled(retry_after=wait):
            return Again(after=max(wait or pause, pause), says=says)
        case BadAnswer():
            return Again(after=pause, says=says, all_wait=False)
    if isinstance(problem, HELD_UP):
        return Again(after=REST, says=says, counts=False)
    return Again(after=pause, says=says)


def _told(problem: Upstream, *says: str) -> str:
    """Return a sentence for the operator, with their reasons where they gave some."""
    text = str(problem)
    sentence = f"{text[:1].upper()}{text[1:]}"
    return (f"{sentence}: {' '.join(says)}" if says else f"{sentence}.")[:LONGEST_WORDS]
