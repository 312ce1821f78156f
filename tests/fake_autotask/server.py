"""The server on loopback, and what a test does to the tenant behind it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from shared import clock
from tests.fake_autotask.control import Control
from tests.fake_autotask.faults import Fault, Faults
from tests.fake_autotask.listener import Listener
from tests.fake_autotask.routes import Tenant
from tests.fake_autotask.schema import COMPLETE
from tests.fake_autotask.wire import Call
from tests.fake_autotask.world import USER, Row, User, World


class FakeAutotask:
    """One of Autotask's hosts. Give two of them the same world, and the tenant can move from one to the other.

    A context manager: the server runs inside. Nothing here waits or asks the time but through `now`.
    """

    def __init__(self, *, port: int = 0, now: Callable[[], datetime] = clock.now, world: World | None = None) -> None:
        self.world = world or World(now=now)
        self.faults = Faults()
        self._tenant = Tenant(self.world)
        self._listener = Listener(self._tenant, self.faults, port)
        self._listener.control = Control(self.world, self.faults, self._listener.journal)
        self._tenant.root = self.url

    def __enter__(self) -> Self:
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()

    @property
    def url(self) -> str:
        """What `AUTOTASK_BASE_URL` is set to."""
        return f"http://127.0.0.1:{self._listener.port}"

    @property
    def user(self) -> User:
        return self.world.users[USER]

    @property
    def calls(self) -> list[Call]:
        """The journal of all requests."""
        return list(self._listener.journal)

    @property
    def signed_calls(self) -> list[Call]:
        """Those that carried a secret."""
        return [call for call in self.calls if call.is_signed]

    def calls_to(self, path: str, *, method: str = "") -> list[Call]:
        return [call for call in self.calls if call.path == path and method in ("", call.method)]

    @property
    def most_at_once(self) -> int:
        """How many requests to one endpoint were under way at once at most."""
        return self._tenant.threads.most_at_once

    @property
    def tickets(self) -> list[Row]:
        with self.world.lock:
            return list(self.world.tickets.values())

    @property
    def notes(self) -> list[Row]:
        with self.world.lock:
            return list(self.world.rows["TicketNotes"].values())

    def plan(self, *faults: Fault) -> None:
        self.faults.add(*faults)

    def add_company(self, name: str, **facts: Any) -> str:
        """Return the id of a new company."""
        with self.world.lock:
            return str(self.world.add("Companies", {"companyName": name, "isActive": True, **facts})["id"])

    def change_company(self, company_id: str, **facts: Any) -> None:
        with self.world.lock:
            self.world.rows["Companies"][int(company_id)] |= facts

    def remove_company(self, company_id: str) -> None:
        with self.world.lock:
            del self.world.rows["Companies"][int(company_id)]

    def add_ticket(self, **facts: Any) -> str:
        """Return the id of a ticket that somebody made in his browser."""
        with self.world.lock:
            return str(self.world.add_ticket(facts)["id"])

    def edit_ticket(self, ticket_id: str, **facts: Any) -> None:
        with self.world.lock:
            self.world.edit_ticket(int(ticket_id), facts)

    def close_ticket(self, ticket_id: str) -> None:
        self.edit_ticket(ticket_id, status=COMPLETE)

    def delete_ticket(self, ticket_id: str) -> None:
        with self.world.lock:
            self.world.delete_ticket(int(ticket_id))

    def merge_tickets(self, source_id: str, target_id: str) -> None:
        with self.world.lock:
            self.world.merge_tickets(int(source_id), int(target_id))

    def hide(self, *ticket_ids: str) -> None:
        """From now on our user does not see these tickets, and sees all others."""
        hidden = {int(each) for each in ticket_ids}
        self.user.sees = lambda row: row["id"] not in hidden

    def move_tenant_to(self, other: "FakeAutotask") -> None:
        """The tenant is at another host from now on, and this one refuses its users."""
        self.world.zone_root = other.url

    def send_zone_to(self, root: str) -> None:
        """Let ZoneInformation name any address."""
        self.world.zone_url = root
