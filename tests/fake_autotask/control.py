"""The control plane below `/_test/`, for tests that start the fake as a process of its own."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.fake_autotask.faults import Deed, Effect, Fault, Faults
from tests.fake_autotask.schema import COMPLETE
from tests.fake_autotask.wire import Answer, Call, Request
from tests.fake_autotask.world import World, without_secrets


class Control:
    def __init__(self, world: World, faults: Faults, journal: list[Call]) -> None:
        self._world = world
        self._faults = faults
        self._journal = journal
        self._deeds: Mapping[str, Callable[[dict[str, Any]], object]] = {
            "company": self._company,
            "ticket": self._ticket,
            "edit": lambda facts: world.edit_ticket(facts["id"], facts["fields"]),
            "close": lambda facts: world.edit_ticket(facts["id"], {"status": COMPLETE}),
            "delete": lambda facts: world.delete_ticket(facts["id"]),
            "merge": lambda facts: world.merge_tickets(facts["source"], facts["target"]),
            "hide": lambda facts: self._hide(set(facts["ids"])),
            "show": lambda facts: self._hide(set()),
            "usage": lambda facts: setattr(world, "used", facts["used"]),
            "user": self._user,
            "zone": lambda facts: setattr(world, "zone_url", facts["root"]),
            "rules": lambda facts: [setattr(world.rules, name, value) for name, value in facts.items()],
            "faults": self._plan,
            "clear": lambda facts: faults.clear(),
        }

    def answer(self, request: Request) -> Answer:
        name = request.path.removeprefix("/_test/")
        with self._world.lock:
            if request.method == "GET" and name == "state":
                return Answer.of(self._state())
            if request.method == "GET" and name == "journal":
                return Answer.of({"calls": [_shown(call) for call in list(self._journal)]})
            if request.method == "POST" and name in self._deeds:
                return Answer.of({"done": name, "result": _plain(self._deeds[name](request.json()))})
        return Answer.of({"errors": [f"no such control: {name}"]}, status=404)

    def _state(self) -> dict[str, Any]:
        world = self._world
        return {
            "tickets": [without_secrets(row) for row in world.tickets.values()],
            "notes": [without_secrets(row) for row in world.rows["TicketNotes"].values()],
            "used": world.used,
            "rich_text_lost": world.rich_text_lost,
            "unknown_operators": world.unknown_operators,
        }

    def _company(self, facts: dict[str, Any]) -> int:
        """Add a company, or change one: `{"id": …}` with `gone` or fields."""
        rows = self._world.rows["Companies"]
        if facts.get("gone"):
            del rows[facts["id"]]
        elif facts.get("id") in rows:
            rows[facts["id"]] |= facts
        else:
            return int(self._world.add("Companies", {"isActive": True, **facts}, row_id=facts.get("id"))["id"])
        return int(facts["id"])

    def _ticket(self, facts: dict[str, Any]) -> int:
        return int(self._world.add_ticket(facts)["id"])

    def _hide(self, ids: set[int]) -> None:
        for user in self._world.users.values():
            user.sees = lambda row: row["id"] not in ids

    def _user(self, facts: dict[str, Any]) -> None:
        user = self._world.users[facts.pop("name")]
        for name, value in facts.items():
            setattr(user, name, value)

    def _plan(self, facts: dict[str, Any]) -> None:
        """Plan a fault: the fields of `Fault`, `before` and `after` as `{"delete": id}` or `{"close": id}`."""
        facts["effect"] = Effect(facts["effect"])
        facts["says"] = tuple(facts.get("says", ()))
        facts["headers"] = tuple(facts.get("headers", {}).items())
        for moment in ("before", "after"):
            if moment in facts:
                facts[moment] = self._deed(facts[moment])
        self._faults.add(Fault(**facts))

    def _deed(self, wanted: dict[str, int]) -> Deed:
        [(name, ticket_id)] = wanted.items()
        return lambda world: self._deeds[name]({"id": ticket_id})


def _plain(result: object) -> object:
    return result if isinstance(result, int) else None


def _shown(call: Call) -> dict[str, Any]:
    return {
        "method": call.method, "path": call.path, "body": call.body, "status": call.status, "fault": call.fault,
        "is_signed": call.is_signed,
    }  # fmt: skip
