"""The tables, one module per group. Importing this package makes all of them known."""

from shared.models import (
    audit,
    customers,
    jobs,
    mail,
    mailbox,
    overrides,
    pipeline,
    schedules,
    system,
    ticketing,
    tickets,
    users,
)

__all__ = [
    "audit",
    "customers",
    "jobs",
    "mail",
    "mailbox",
    "overrides",
    "pipeline",
    "schedules",
    "system",
    "ticketing",
    "tickets",
    "users",
]
