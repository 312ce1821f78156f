"""Customers."""

from datetime import date

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant, choice
from shared.domain.ticket import MappingState


class Customer(Base):
    """A customer of the MSP. An inactive one's jobs still make runs; the operational pages don't show them."""

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("name = btrim(name) AND name <> ''", name="name_is_tidy"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country_is_a_code"),
        CheckConstraint(
            "num_nonnulls(autotask_company_id, autotask_company_name, autotask_mapping) IN (0, 3)",
            name="mapping_is_whole",
        ),
        CheckConstraint(
            "coalesce(autotask_mapping = 'renamed', false) = (autotask_company_renamed_to IS NOT NULL)",
            name="renamed_has_a_name",
        ),
        Index("uq_customers_name", text("lower(name)"), unique=True),
    )

    id: Mapped[Id]
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    time_zone: Mapped[str | None]  # IANA name; None = the zone of the pages
    country: Mapped[str | None]  # ISO 3166-1, two letters; whose public holidays can be filled in as closed days
    go_live_on: Mapped[date | None]  # runs before this local day are history; None = as the installation's
    autotask_company_id: Mapped[str | None] = mapped_column(unique=True)
    autotask_company_name: Mapped[str | None]  # as it was when it was chosen or last accepted
    autotask_company_renamed_to: Mapped[str | None]  # its name there, until a person accepts it
    autotask_mapping: Mapped[MappingState | None] = mapped_column(choice(MappingState, "autotask_mapping"))
    autotask_checked_at: Mapped[Instant | None]
    note: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[CreatedAt]
