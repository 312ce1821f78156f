"""What the pages of the mapping share."""

from typing import Annotated

from functions.http_api.deps import CurrentUser, require
from shared.clients.errors import NotFound
from shared.domain.permissions import Right
from shared.domain.ticketing import Company, TicketProvider
from shared.services.imported_companies import is_company_id

MapsCustomers = Annotated[CurrentUser, require(Right.EDIT_CUSTOMERS)]


def company_of(provider: TicketProvider, company_id: str) -> Company:
    """Return a company as it is now. Raise NotFound: what a form sends proves nothing."""
    found = provider.companies([company_id]) if is_company_id(company_id) else []
    if not found:
        raise NotFound("Autotask shows no such company")
    return found[0]
