"""Which company at the ticketing system is a customer: chosen by a person, one for one, and looked after since."""

from dataclasses import dataclass

from shared.domain.ticket import MappingState
from shared.domain.ticketing import Company


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a chosen company is now. `renamed_to` is its name there where that is another one than was accepted."""

    state: MappingState
    renamed_to: str | None = None


def standing_of(company: Company | None, *, accepted: str) -> Standing:
    """Return how the company is that was accepted under a name; None is one that is not to be seen."""
    if company is None:
        return Standing(state=MappingState.MISSING)
    if not company.is_active:
        return Standing(state=MappingState.INVALID)
    if company.name != accepted:
        return Standing(state=MappingState.RENAMED, renamed_to=company.name)
    return Standing(state=MappingState.OK)


def why_blocked(customer: str, company: str, state: MappingState | None) -> str | None:
    """Return why no ticket can be made for a customer, and what to do; None where it can."""
    match state:
        case None:
            return f"{customer} has no company at Autotask yet: choose it on the customer's Autotask page."
        case MappingState.MISSING:
            return (
                f"Autotask does not show {customer}'s company “{company}” any more: choose another one on the "
                "customer's Autotask page."
            )
        case MappingState.INVALID:
            return (
                f"{customer}'s company “{company}” is not active at Autotask any more: choose another one on the "
                "customer's Autotask page."
            )
    return None  # a renamed one is the same company


def same_name(name: str) -> str:
    """Return what two spellings of one name have in common: case, spaces, and signs between words don't count."""
    folded = "".join(each if each.isalnum() else " " for each in name.casefold())
    return " ".join(folded.split())
