"""Which company at the ticketing system is a customer: chosen by a person, one for one, and looked after since."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from shared.domain.ticket import MappingState
from shared.domain.ticketing import Company

_WITHIN_WORDS = dict.fromkeys(map(ord, ".'’"))


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


def companies_by_name(
    names: Mapping[int, str], companies: Iterable[Company], *, taken: Collection[str]
) -> dict[int, Company]:
    """Return for each name the one active company that nobody has and that is called so; several are no proof."""
    by_name: defaultdict[str, list[Company]] = defaultdict(list)
    for company in companies:
        if company.is_active:
            by_name[same_name(company.name)].append(company)
    asked = Counter(same_name(name) for name in names.values())
    found = {}
    for key, name in names.items():
        same = by_name[same_name(name)]
        if len(same) == 1 and asked[same_name(name)] == 1 and same[0].id not in taken:
            found[key] = same[0]
    return found


def same_name(name: str) -> str:
    """Return what two spellings of one name have in common: neither case, spaces nor signs count, `B.V.` is `BV`."""
    joined = name.casefold().translate(_WITHIN_WORDS)
    folded = "".join(each if each.isalnum() else " " for each in joined)
    return " ".join(folded.split())
