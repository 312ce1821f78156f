"""Looks whether the companies of customers are still what they were when they were chosen. Changes nothing there."""

from collections import Counter
from collections.abc import Mapping, Sequence
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
from shared.services.audit import SYSTEM, record_act

MANY_GONE = 10  # at once, and more than the share: then it is rather a right that we lost
SHARE_GONE = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """How the companies are that were looked at, and how many are otherwise than before."""

    states: Mapping[MappingState, int]
    changed: int

    @property
    def total(self) -> int:
        return sum(self.states.values())


def check_mappings(provider: TicketProvider, *, now: datetime, customer_ids: Sequence[int] | None = None) -> Checked:
    """Look at the companies of these customers, or of all, one call for 200. Raise Upstream: nothing changed.

    Asks outside of any transaction, and opens its own. All at once are not believed to be gone (BadAnswer).
    """
    with transaction() as db:
        asked = _mapped(db, customer_ids)
    found = {each.id: each for each in provider.companies([company_id for company_id, _ in asked.values()])}
    if customer_ids is None:
        _refuse_vanishing(asked, found)
    with transaction() as db:
        checked = _apply(db, asked, found, now)
        if customer_ids is None:
            db.execute(update(TicketingState).values(companies_at=now))
        return checked


def _mapped(db: Session, customer_ids: Sequence[int] | None) -> dict[int, tuple[str, MappingState]]:
    """Return the companies and states of customers, by their ids."""
    query = select(Customer.id, Customer.autotask_company_id, Customer.autotask_mapping)
    query = query.where(Customer.autotask_company_id.is_not(None))
    if customer_ids is not None:
        query = query.where(Customer.id.in_(customer_ids))
    return {row[0]: (row[1], row[2]) for row in db.execute(query) if row[1] and row[2]}


def _refuse_vanishing(asked: Mapping[int, tuple[str, MappingState]], found: Mapping[str, Company]) -> None:
    gone = sum(company_id not in found and state is not MappingState.MISSING for company_id, state in asked.values())
    if gone > MANY_GONE and gone > SHARE_GONE * len(asked):
        raise BadAnswer(
            f"Autotask no longer shows {gone:,} of {len(asked):,} companies at once, which looks like a right that "
            "was taken away: nothing was changed"
        )


def _apply(
    db: Session, asked: Mapping[int, tuple[str, MappingState]], found: Mapping[str, Company], now: datetime
) -> Checked:
    states: Counter[MappingState] = Counter()
    changed = 0
    locked = select(Customer).where(Customer.id.in_(asked)).order_by(Customer.id).with_for_update()
    for customer in db.scalars(locked.execution_options(populate_existing=True)):
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
