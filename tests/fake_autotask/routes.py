"""Which request does what."""

from typing import Any

from tests.fake_autotask import access, rules
from tests.fake_autotask.query import Query, answered, continued, is_visible, started
from tests.fake_autotask.schema import ENTITIES, TICKET, Entity, described
from tests.fake_autotask.wire import Answer, Refusal, Request, no_route, no_verb
from tests.fake_autotask.world import User, World, without_secrets

WRITES = {"POST": rules.create_ticket, "PATCH": rules.patch_ticket, "PUT": rules.put_ticket}


class Tenant:
    """One host in front of a tenant. `root` is its address, `link_base` what links are built from."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.root = ""
        self.link_base = ""
        self.threads = access.Threads(world)

    def answer(self, request: Request) -> Answer:
        try:
            return Answer.of(self._answered(request))
        except Refusal as refusal:
            return refusal.answer

    def _answered(self, request: Request) -> dict[str, Any]:
        match [part.lower() for part in request.route]:
            case ["versioninformation"]:
                return {"apiVersions": ["1.0"]}
            case ["zoneinformation"]:
                return self._zone(request)
        with self.threads.one(request):
            with self.world.lock:
                user = access.sign_in(self.world, request, self.root)
                wait = access.count(self.world)
            access.slow_down(wait)
            with self.world.lock:
                return self._signed_in(request, user)

    def _zone(self, request: Request) -> dict[str, Any]:
        if request.query.get("user", "") not in self.world.users:
            raise Refusal(500, "Zone information could not be determined")
        root = self.world.zone_url or self.world.zone_root or self.root
        return {
            "zoneName": "Synthetic Zone", "url": f"{root}/ATServicesRest/", "webUrl": f"{root}/", "ci": 40001,
        }  # fmt: skip

    def _signed_in(self, request: Request, user: User) -> dict[str, Any]:
        parts = request.route
        if parts[0].lower() == "thresholdinformation" and len(parts) == 1:
            return {
                "externalRequestThreshold": self.world.rules.hour_limit, "requestThresholdTimeframe": 60,
                "currentTimeframeRequestCount": self.world.used,
            }  # fmt: skip
        entity = ENTITIES.get(parts[0].lower())
        if entity is None:
            raise no_route()
        return self._of_entity(request, user, entity, [part.lower() for part in parts[1:]])

    def _of_entity(self, request: Request, user: User, entity: Entity, rest: list[str]) -> dict[str, Any]:
        match rest:
            case []:
                return self._write(request, user, entity)
            case ["query", *further]:
                return self._query(request, user, entity, further)
            case ["entityinformation", *further]:
                return _information(request, entity, user, further)
            case [row_id] if row_id.isdigit():
                return self._one(request, user, entity, int(row_id))
            case [row_id, "notes"] if row_id.isdigit() and entity is TICKET:
                return self._notes(request, user, int(row_id))
        raise no_route()

    def _write(self, request: Request, user: User, entity: Entity) -> dict[str, Any]:
        """Tickets are written at the collection; whatever else is written elsewhere is not there."""
        if entity.plural == "TicketNotes" and request.method == "POST":
            raise no_route()
        if entity is not TICKET or request.method not in WRITES:
            raise no_verb(request.method)
        return {"itemId": WRITES[request.method](self.world, user, request.json())}

    def _query(self, request: Request, user: User, entity: Entity, further: list[str]) -> dict[str, Any]:
        if entity.plural == "DeletedTicketLogs" and not user.may_read_deletions:
            raise Refusal(500, access.NO_PERMISSION.format("query"))
        if further == ["count"]:
            return {"queryCount": len(Query(self.world, entity, user, started(request)).rows())}
        if further not in ([], ["next"]):
            raise no_route()
        facts, after = continued(request) if further else (started(request), None)
        query = Query(self.world, entity, user, facts)
        return answered(query, request, after=after, link_base=self.link_base or request.base)

    def _one(self, request: Request, user: User, entity: Entity, row_id: int) -> dict[str, Any]:
        if request.method != "GET":
            raise no_verb(request.method)
        row = self.world.rows[entity.plural].get(row_id)
        is_shown = row is not None and is_visible(self.world, entity, user, row)
        return {"item": without_secrets(row) if row is not None and is_shown else None}

    def _notes(self, request: Request, user: User, ticket_id: int) -> dict[str, Any]:
        if request.method == "POST":
            return {"itemId": rules.create_note(self.world, user, ticket_id, request.json())}
        if request.method != "GET":
            raise no_verb(request.method)
        notes = self.world.rows["TicketNotes"].values()
        return {"items": [without_secrets(row) for row in notes if row["ticketID"] == ticket_id]}


def _information(request: Request, entity: Entity, user: User, further: list[str]) -> dict[str, Any]:
    if request.method != "GET":
        raise no_verb(request.method)
    if further == ["fields"]:
        return {"fields": [described(each) for each in entity.fields.values()]}
    if further == ["userdefinedfields"]:
        return {"fields": []}
    if further:
        raise no_route()
    writes = entity.plural in ("Tickets", "TicketNotes") and user.may_write
    return {
        "info": {
            "name": entity.singular, "canCreate": writes, "canDelete": False, "canQuery": True, "canUpdate": writes,
            "userAccessForCreate": int(writes), "userAccessForDelete": 0, "userAccessForQuery": 1,
            "userAccessForUpdate": int(writes), "hasUserDefinedFields": entity is TICKET,
            "supportsWebhookCallouts": entity is TICKET,
        }
    }  # fmt: skip
