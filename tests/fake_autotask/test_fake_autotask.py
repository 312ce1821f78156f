"""The fake keeps Autotask's rules, asked with a plain HTTP client."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.fake_autotask import CODE, SECRET, USER, Effect, FakeAutotask, Fault

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIGNED = {"UserName": USER, "Secret": SECRET, "ApiIntegrationCode": CODE}
TICKET = {"title": "Failed", "status": 1, "priority": 2, "queueID": 29682833, "dueDateTime": "2026-03-03T12:00:00Z"}


@pytest.fixture
def fake() -> Iterator[FakeAutotask]:
    with FakeAutotask(now=lambda: NOON) as running:
        yield running


@pytest.fixture
def client(fake: FakeAutotask) -> Iterator[httpx.Client]:
    with plain_client(f"{fake.url}/ATServicesRest/V1.0") as open_client:
        yield open_client


def plain_client(base_url: str) -> httpx.Client:
    """It speaks plain http to this machine, and so need not load the certificates of the world."""
    return httpx.Client(base_url=base_url, headers=SIGNED, timeout=10, verify=False)


def errors(answer: httpx.Response, status: int = 500) -> str:
    assert answer.status_code == status, answer.text
    return " ".join(answer.json()["errors"])


def query(client: httpx.Client, entity: str, *clauses: Any, **more: Any) -> httpx.Response:
    return client.post(f"/{entity}/query", json={"filter": list(clauses), **more})


def ids(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["items"]]


def by_id(op: str, value: Any = None) -> dict[str, Any]:
    return {"op": op, "field": "id", "value": value}


def create(client: httpx.Client, fake: FakeAutotask, **facts: Any) -> int:
    answer = client.post("/Tickets", json={**TICKET, "companyID": int(fake.add_company("Aspen")), **facts})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["itemId"])


def test_anybody_is_told_the_zone_of_a_user(fake: FakeAutotask) -> None:
    url = f"{fake.url}/ATServicesRest/V1.0/ZoneInformation"

    assert httpx.get(url, params={"user": USER}).json()["url"] == f"{fake.url}/ATServicesRest/"
    assert "could not be determined" in errors(httpx.get(url, params={"user": "nobody@msp.example"}))


@pytest.mark.parametrize(
    "changed, status",
    [({"UserName": "x"}, 500), ({"ApiIntegrationCode": "x"}, 500), ({"Secret": "x"}, 401)],
    ids=["user", "code", "secret"],
)
def test_each_wrong_part_of_the_sign_in_is_refused_in_its_own_way(
    client: httpx.Client, changed: dict[str, str], status: int
) -> None:
    assert client.get("/ThresholdInformation", headers=changed).status_code == status


def test_the_fifth_wrong_secret_locks_the_user(client: httpx.Client, fake: FakeAutotask) -> None:
    for _ in range(5):
        client.get("/ThresholdInformation", headers={"Secret": "x"})

    assert client.get("/ThresholdInformation").status_code == 401
    assert fake.user.is_locked


def test_an_unknown_operator_is_left_out_and_an_unknown_field_refused(client: httpx.Client, fake: FakeAutotask) -> None:
    first, second = fake.add_ticket(), fake.add_ticket()

    assert ids(query(client, "Tickets", by_id("ne", int(first)))) == [int(first), int(second)]
    assert fake.world.unknown_operators
    assert "Unable to find nonsense" in errors(query(client, "Tickets", {"op": "eq", "field": "nonsense", "value": 1}))
    assert "creatorType" in errors(query(client, "Tickets", {"op": "eq", "field": "creatorType", "value": 1}))


@pytest.mark.parametrize(
    "op, value, found",
    [
        ("eq", "NIGHTLY", [0]),
        ("noteq", "nightly", [1, 2]),
        ("contains", "EEK", [1]),
        ("beginsWith", "n", [0]),
        ("endsWith", "ly", [0, 1, 2]),
        ("in", ["Weekly", "monthly"], [1, 2]),
        ("notIn", ["Weekly", "monthly"], [0]),
        ("exist", None, [0, 1, 2]),
        ("notExist", None, []),
    ],
)
def test_texts_are_compared_in_any_case(
    client: httpx.Client, fake: FakeAutotask, op: str, value: Any, found: list[int]
) -> None:
    made = [int(fake.add_ticket(title=title)) for title in ("nightly", "weekly", "monthly")]

    assert ids(query(client, "Tickets", {"op": op, "field": "TITLE", "value": value})) == [made[each] for each in found]


def test_groups_are_nested_and_the_list_is_an_and(client: httpx.Client, fake: FakeAutotask) -> None:
    made = [int(fake.add_ticket(priority=priority)) for priority in (1, 2, 3)]
    either = {"op": "or", "items": [by_id("eq", made[0]), by_id("gte", made[2])]}

    assert ids(query(client, "Tickets", either)) == [made[0], made[2]]
    assert ids(query(client, "Tickets", either, {"op": "lt", "field": "priority", "value": 3})) == [made[0]]


@pytest.mark.parametrize(
    "clause, more, said",
    [
        (by_id("in", list(range(501))), {}, "limited to 500"),
        (by_id("eq", "abc"), {}, "Conversion failed"),
        (by_id("eq", 1), {"MaxRecords": 501}, "between 1 and 500"),
        (by_id("eq", 1), {"MaxRecords": 0}, "between 1 and 500"),
    ],
)
def test_a_query_out_of_bounds_is_refused(client: httpx.Client, clause: Any, more: Any, said: str) -> None:
    assert said in errors(query(client, "Tickets", clause, **more))


def test_an_empty_filter_is_refused_and_a_long_address_not_found(client: httpx.Client) -> None:
    assert "filter" in errors(query(client, "Tickets"))
    assert client.get("/Tickets/query", params={"search": "x" * 2100}).status_code == 404


def test_a_link_goes_on_with_the_method_and_body_that_it_began_with(client: httpx.Client, fake: FakeAutotask) -> None:
    made = [int(fake.add_ticket()) for _ in range(3)]
    body = {"filter": [by_id("gt", 0)], "MaxRecords": 2}
    first = client.post("/Tickets/query", json=body)
    link = first.json()["pageDetails"]["nextPageUrl"]

    assert ids(first) == made[:2]
    assert "%22nextIds%22" in link
    assert "%7b" in link
    assert client.get(link).status_code == 405
    assert client.post(link).status_code == 500
    assert ids(client.post(link, json=body)) == made[2:]


def test_only_named_fields_come_and_the_two_that_always_do(client: httpx.Client, fake: FakeAutotask) -> None:
    fake.add_ticket()

    [row] = query(client, "Tickets", by_id("gt", 0), IncludeFields=["STATUS"]).json()["items"]

    assert set(row) == {"id", "status", "userDefinedFields"}


def test_what_is_not_there_or_hidden_is_no_error(client: httpx.Client, fake: FakeAutotask) -> None:
    hidden = fake.add_ticket()
    fake.hide(hidden)

    assert client.get("/Tickets/999").json() == {"item": None}
    assert client.get(f"/Tickets/{hidden}").json() == {"item": None}
    assert ids(query(client, "Tickets", by_id("gt", 0))) == []


def test_a_ticket_is_written_at_the_collection_alone(client: httpx.Client, fake: FakeAutotask) -> None:
    ticket = fake.add_ticket()

    for method in ("PATCH", "PUT", "DELETE", "POST"):
        assert client.request(method, f"/Tickets/{ticket}", json={}).status_code == 405
    assert client.post("/TicketNotes", json={}).status_code == 404
    assert client.delete("/Tickets").status_code == 405


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"title": None}, "Object reference"),
        ({"priority": 99}, "Picklist value [99] does not exist for priority."),
        ({"status": 30}, "Picklist value [30]"),
        ({"companyID": 987}, "existing entity for companyID"),
        ({"title": "x" * 256}, "Maximum length"),
        ({"assignedResourceID": 29683007}, "must assign both"),
        ({"issueType": 12, "subIssueType": 111}, "Picklist value [111]"),
    ],
)
def test_what_a_new_ticket_may_not_be(client: httpx.Client, fake: FakeAutotask, changed: Any, said: str) -> None:
    company = int(fake.add_company("Aspen"))

    assert said in errors(client.post("/Tickets", json={**TICKET, "companyID": company, **changed}))
    assert fake.tickets == []


@pytest.mark.parametrize("missing", ["companyID", "title", "status", "priority", "queueID", "dueDateTime"])
def test_what_a_new_ticket_needs(client: httpx.Client, fake: FakeAutotask, missing: str) -> None:
    facts = {**TICKET, "companyID": int(fake.add_company("Aspen"))}
    del facts[missing]

    errors(client.post("/Tickets", json=facts))


def test_a_new_ticket_of_an_inactive_company_is_refused(client: httpx.Client, fake: FakeAutotask) -> None:
    company = int(fake.add_company("Aspen", isActive=False))

    assert "companyID" in errors(client.post("/Tickets", json={**TICKET, "companyID": company}))


def test_patch_leaves_and_put_empties_what_is_not_named(client: httpx.Client, fake: FakeAutotask) -> None:
    ticket = create(client, fake, description="All of it", issueType=11)
    fake.edit_ticket(str(ticket), description="<p>All of <b>it</b></p>")

    client.patch("/Tickets", json={"id": ticket, "status": 5})
    [patched] = fake.tickets

    assert (patched["description"], patched["issueType"]) == ("All of it", 11)
    assert patched["completedDate"] == "2026-03-02T12:00:00Z"
    assert fake.world.rich_text_lost == 0

    client.put("/Tickets", json={**TICKET, "id": ticket, "companyID": patched["companyID"]})
    [put] = fake.tickets

    assert (put["description"], put["issueType"], put["completedDate"]) == (None, None, None)
    assert fake.world.rich_text_lost == 1


def test_a_description_that_is_echoed_loses_its_formatting(client: httpx.Client, fake: FakeAutotask) -> None:
    ticket = fake.add_ticket(description="<p>See <img></p>")
    shown = client.get(f"/Tickets/{ticket}").json()["item"]

    client.patch("/Tickets", json={"id": int(ticket), "description": shown["description"]})

    assert fake.tickets[0]["_rich"] == "See "
    assert fake.world.rich_text_lost == 1
    assert "_rich" not in shown


def test_a_ticket_that_is_not_seen_can_not_be_changed(client: httpx.Client, fake: FakeAutotask) -> None:
    ticket = fake.add_ticket()
    fake.hide(ticket)

    assert "No matching records" in errors(client.patch("/Tickets", json={"id": int(ticket), "status": 5}))


def test_deletions_are_logged_for_those_who_may_read_the_log(client: httpx.Client, fake: FakeAutotask) -> None:
    ticket = fake.add_ticket()
    fake.delete_ticket(ticket)
    clause = {"op": "in", "field": "ticketID", "value": [int(ticket)]}

    assert query(client, "DeletedTicketLogs", clause).json()["items"][0]["deletedDateTime"] == "2026-03-02T12:00:00Z"
    fake.user.may_read_deletions = False
    assert "adequate permissions" in errors(query(client, "DeletedTicketLogs", clause))


def test_merging_completes_the_source_and_notes_it_in_both(fake: FakeAutotask) -> None:
    source, target = fake.add_ticket(title="Twice"), fake.add_ticket()

    fake.merge_tickets(source, target)

    assert [row["status"] for row in fake.tickets] == [5, 1]
    assert [str(note["ticketID"]) for note in fake.notes if note["noteType"] == 13] == [source, target]


def test_the_fourth_request_at_once_to_an_endpoint_is_refused(client: httpx.Client, fake: FakeAutotask) -> None:
    fake.world.rules.latency_factor, fake.world.used = 0.3, 7_500

    with ThreadPoolExecutor(5) as pool:
        statuses = list(pool.map(lambda _: client.get("/Tickets/1").status_code, range(5)))

    assert sorted(statuses) == [200, 200, 200, 429, 429]


def test_over_the_hour_limit_everything_is_refused(client: httpx.Client, fake: FakeAutotask) -> None:
    fake.world.used = 9_999

    assert client.get("/ThresholdInformation").json()["currentTimeframeRequestCount"] == 10_000
    assert client.get("/ThresholdInformation").status_code == 429


def test_choices_are_described_with_values_of_text(client: httpx.Client) -> None:
    fields = {each["name"]: each for each in client.get("/Tickets/entityInformation/fields").json()["fields"]}

    assert [each["value"] for each in fields["status"]["picklistValues"]] == ["1", "5", "8", "21", "30"]
    assert fields["subIssueType"]["picklistValues"][0]["parentValue"] == "11"
    assert client.get("/Tickets/entityInformation").json()["info"]["canDelete"] is False


def test_faults_hit_what_they_are_planned_for_in_order(client: httpx.Client, fake: FakeAutotask) -> None:
    fake.plan(Fault.of(503, on="Tickets/1$"), Fault(effect=Effect.HTML).at("Tickets/1$"), Fault.throttle("7"))

    assert client.get("/Tickets/1").status_code == 503
    assert client.get("/Tickets/1").text.startswith("<html>")
    assert client.get("/Tickets/2").headers["retry-after"] == "7"
    assert client.get("/Tickets/2").status_code == 200
    assert [call.status for call in fake.calls] == [503, 502, 429, 200]


def test_a_lost_answer_is_of_something_that_was_done(client: httpx.Client, fake: FakeAutotask) -> None:
    company = int(fake.add_company("Aspen"))
    fake.plan(Fault(effect=Effect.LOST).at("Tickets$", method="POST"))

    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/Tickets", json={**TICKET, "companyID": company})

    assert len(fake.tickets) == 1


def test_as_a_process_of_its_own_it_is_told_what_to_do_over_http() -> None:
    command = [sys.executable, "-m", "tests.fake_autotask", "--port", "0", "--company", "Aspen"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base = process.stdout.readline().split()[0].removeprefix("AUTOTASK_BASE_URL=")
        try:
            with plain_client(base) as client:
                ticket = client.post("/_test/ticket", json={"title": "By hand"}).json()["result"]
                client.post("/_test/faults", json={"effect": "refuse", "status": 503, "on": "Tickets"})
                client.post("/_test/delete", json={"id": ticket})

                assert client.get(f"/ATServicesRest/V1.0/Tickets/{ticket}").status_code == 503
                assert client.get(f"/ATServicesRest/V1.0/Tickets/{ticket}").json() == {"item": None}
                assert client.get("/_test/state").json()["tickets"] == []
                calls = client.get("/_test/journal").json()["calls"]
                assert [call["status"] for call in calls] == [503, 200]
                assert SECRET not in str(calls)
        finally:
            process.terminate()
