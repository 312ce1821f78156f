"""The companies that a file of customers names: Autotask has to know them, and each is one customer's at most."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.domain.ticketing import Company

COLUMN = "autotask_company_id"


@dataclass(frozen=True, kw_only=True, slots=True)
class Companies:
    """What Autotask says of the companies in a file, by their ids; or why it says nothing."""

    found: Mapping[str, Company] = field(default_factory=dict)
    problem: str = "Autotask was not asked for it"


@dataclass(frozen=True, kw_only=True, slots=True)
class CompaniesInFile:
    """Who has which company: `owners` are customers' names by company, `lines` those of the file so far."""

    told: Companies
    owners: Mapping[str, str]
    lines: dict[str, int] = field(default_factory=dict)

    def take(self, company_id: str, *, customer: str, number: int) -> Company | str:
        """Return the company that a line of the file wants for a customer, or why he can't have it."""
        if not is_company_id(company_id):
            return f"“{company_id}” is no number of a company at Autotask"
        first, owner = self.lines.setdefault(company_id, number), self.owners.get(company_id)
        company = self.told.found.get(company_id)
        checks = (
            (first != number, f"company {company_id} stands on line {first} already"),
            (
                owner is not None and owner.lower() != customer,
                f"company {company_id} is the company of {owner} already",
            ),
            (company is None, self.told.problem or f"Autotask shows no company {company_id}"),
            (company is not None and not company.is_active, f"company {company_id} is not active at Autotask"),
        )
        problem = next((says for wrong, says in checks if wrong), "")
        return problem or company or ""


def is_company_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
