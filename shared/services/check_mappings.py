"""Looks whether the companies of customers are still what they were when they were chosen. Changes nothing there."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.clients.errors import BadAnswer
from shared.db.session import transaction
from shared.domain.company_mapping import Standing, standing_of
from shared.domain.ticket import MappingState
from shared.domain.ticketing import Company, TicketProvider
from shared.models.customers import Customer
from shared.models.ticketing import TicketingState
from shared.services.audit import SYSTEM, Actor, record_act

MANY_GONE = 10  # at once, and more than the share: then it is rather a right that we lost
SHARE_GONE = 0.3
NOT_BELIEVED = (
    "Autotask no longer shows {gone:,} of {total:,} companies at once, which looks like a right that was taken away: "
    "nothing was changed. If it is so, an administrator says so in Settings, Autotask"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """How the companies are that were looked at, and how many are otherwise than before."""

    states: Mapping[MappingState, int]
    changed: int

    @property
    def total(self) -> int:
        return sum(self.states.values())


def check_mappings(
    provider: TicketProvider,
    *,
    now: datetime,
    customer_ids: Sequence[int] | None = None,
    so_says: Actor | None = None,
) -> Checked:
    """Look at the companies of these customers, or of all, one call for 200. Raise Upstream: nothing changed.

    Asks outside of any transaction, and opens its own. All at once are not believed to be gone (BadAnswer), unless a
    person says that it is so; until then it is kept which ones were seen, and when that was.
    """
    with transaction() as db:
        asked = _mapped(db, customer_ids)
    found = {each.id: each for each in provider.companies([company_id for company_id, _ in asked.values()])}
    gone = 0 if customer_ids is not None else _gone(asked, found)
    is_incredible = gone > MANY_GONE and gone > SHARE_GONE * len(asked)
    if is_incredible and so_says is None:
        _note_seen({each: company_id for each, (company_id, _) in asked.items() if company_id in found}, now)
        raise BadAnswer(NOT_BELIEVED.format(gone=gone, total=len(asked)))
    with transaction() as db:
        checked = _apply(db, asked, found, now)
        if customer_ids is None:
            db.execute(update(TicketingState).values(companies_at=now))
        if is_incredible and so_says is not None:
            facts = {"gone": gone, "of": len(asked)}
            record_act(
                db, so_says, "companies.believed_gone", subject_type="companies", subject_id=None, after=facts, now=now
            )
        return checked


def _mapped(db: Session, customer_ids: Sequence[int] | None) -> dict[int, tuple[str, MappingState]]:
    """Return the companies and states of customers, by their ids."""
    query = select(Customer.id, Customer.autotask_company_id, Customer.autotask_mapping)
    query = query.where(Customer.autotask_company_id.is_not(None))
    if customer_ids is not None:
        query = query.where(Customer.id.in_(customer_ids))
    return {row[0]: (row[1], row[2]) for row in db.execute(query) if row[1] and row[2]}


def _gone(asked: Mapping[int, tuple[str, MappingState]], found: Mapping[str, Company]) -> int:
    """Return how many are not to be seen that were until now."""
    return sum(company_id not in found and state is not MappingState.MISSING for company_id, state in asked.values())


def _note_seen(seen: Mapping[int, str], now: datetime) -> None:
    """Keep that these were seen in a look at all of them, so that the others are known; change nothing else."""
    with transaction() as db:
        for customer in _locked(db, seen):
            if customer.autotask_company_id == seen[customer.id]:
                customer.autotask_checked_at = now
        db.execute(update(TicketingState).values(companies_at=now))


def _locked(db: Session, customer_ids: Collection[int]) -> Iterable[Customer]:
    locked = select(Customer).where(Customer.id.in_(customer_ids)).order_by(Customer.id).with_for_update()
    return db.scalars(locked.execution_options(populate_existing=True))


def _apply(
    db: Session, asked: Mapping[int, tuple[str, MappingState]], found: Mapping[str, Company], now: datetime
) -> Checked:
    states: Counter[MappingState] = Counter()
    changed = 0
    for customer in _locked(db, asked):
        company_id, _ = asked[customer.id]
        if customer.autotask_company_id != company_id:
            continue  # somebody chose another one meanwhile
        standing = standing_of(found.get(company_id), accepted=customer.autotask_company_name or "")
        changed += _stand(db, customer, standing, now)
        states[standing.state] += 1
    return Checked(states=states, changed=changed)


def _stand(db: Session, customer: Customer, standing: Standing, now: datetime) -> bool:
    customer.autotask_checked_at = now
    before, is_news = customer.autotask_mapping, customer.autotask_mapping is not standing.state
    customer.autotask_mapping, customer.autotask_company_renamed_to = standing.state, standing.renamed_to
    if is_news:
        record_act(
            db,
            SYSTEM,
            "customer.mapping_found",
            subject_type="customer",
            subject_id=customer.id,
            before={"mapping": before},
            after={"mapping": standing.state, "renamed_to": standing.renamed_to},
            now=now,
        )
    return is_news
