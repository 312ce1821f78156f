"""Tickets that are not known here yet and that somebody named by their number at Autotask."""

import re
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from functions.http_api.autotask import NoAnswer, asking_autotask
from functions.http_api.tickets.meant import Typed
from shared.clients.errors import NotFound as NotThere
from shared.domain.ticket import TicketSource
from shared.domain.ticketing import RemoteTicket
from shared.queries.ticket_form import CustomerGroup, ticket_choices
from shared.queries.tickets import open_ticket_called

Fetched = Mapping[int, RemoteTicket | NoAnswer]
_NUMBER = re.compile(r"T\d{8}\.\d{4,10}(\.\d{3,10})?", re.IGNORECASE)  # of a series: T20200924.0046.051


def unknown_numbers(db: Session, groups: Sequence[CustomerGroup], typed: Typed) -> dict[int, str]:
    """Return the numbers to look up at Autotask, by customer."""
    if ticket_choices(db).source is TicketSource.MANUAL:
        return {}
    found = {}
    for group in groups:
        own = typed.of(group.customer_id)
        name = own.ticket.strip() if own and own.how == "link" else ""
        if _NUMBER.fullmatch(name) and open_ticket_called(db, group.customer_id, name) is None:
            found[group.customer_id] = name
    return found


def fetch(db: Session, numbers: Mapping[int, str]) -> dict[int, RemoteTicket | NoAnswer]:
    """Return what Autotask has under these numbers, or why it has nothing. Ends the transaction of the request."""
    found: dict[int, RemoteTicket | NoAnswer] = {}
    try:
        with asking_autotask(db) as provider:
            for customer_id, number in numbers.items():
                try:
                    found[customer_id] = provider.ticket_by_number(number)
                except NotThere:
                    found[customer_id] = NoAnswer(f"Autotask shows no ticket {number}.")
    except NoAnswer as problem:
        return dict.fromkeys(numbers, problem)
    return found
