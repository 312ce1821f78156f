"""The fake keeps Graph's rules, asked with a plain HTTP client."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import sleep
from urllib.parse import quote

import httpx
import pytest

from tests.fake_graph import Effect, FakeGraph, Fault, Faults
from tests.fake_graph.webhook import Webhook

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
SELECT = "id,subject,receivedDateTime"


@pytest.fixture
def fake() -> Iterator[FakeGraph]:
    with FakeGraph(now=lambda: NOON) as running:
        yield running


@pytest.fixture
def client(fake: FakeGraph) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=fake.url, headers=IMMUTABLE, timeout=10) as open_client:
        yield open_client


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as listening:
        yield listening


def first_page(client: httpx.Client, *, size: int = 50, folder: str = "inbox", **query: str) -> dict:
    answer = client.get(
        f"/users/reports@msp.example/mailFolders/{folder}/messages/delta",
        params={"changeType": "created", "$select": SELECT, **query},
        headers={"Prefer": f'IdType="ImmutableId", odata.maxpagesize={size}'},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def subscribe(client: httpx.Client, webhook: Webhook, **changed: object) -> httpx.Response:
    wanted = {
        "changeType": "created",
        "notificationUrl": f"{webhook.url}/notifications",
        "lifecycleNotificationUrl": f"{webhook.url}/lifecycle",
        "resource": "users/reports@msp.example/mailFolders/inbox/messages",
        "expirationDateTime": (NOON + timedelta(days=3)).isoformat(),
        "clientState": "secret",
        **changed,
    }
    return client.post("/subscriptions", json=wanted)


def test_pages_lead_from_one_to_the_next_and_end_with_a_delta_link(fake: FakeGraph, client: httpx.Client) -> None:
    made = [fake.deliver(subject=f"{number}", received_at=NOON - timedelta(hours=number)) for number in range(5)]

    first = first_page(client, size=3)
    second = client.get(first["@odata.nextLink"], headers={"Prefer": "odata.maxpagesize=3"}).json()

    assert [each["subject"] for each in first["value"] + second["value"]] == ["0", "1", "2", "3", "4"]
    assert [each["id"] for each in first["value"]] == [each.immutable_id for each in made[:3]]
    assert "@odata.nextLink" not in second
    assert client.get(second["@odata.deltaLink"]).json()["value"] == []


def test_a_round_holds_what_came_since_the_last_one(fake: FakeGraph, client: httpx.Client) -> None:
    fake.deliver()
    link = first_page(client)["@odata.deltaLink"]
    fake.deliver(subject="later")

    page = client.get(link).json()

    assert [each["subject"] for each in page["value"]] == ["later"]


def test_mails_received_too_early_are_left_out(fake: FakeGraph, client: httpx.Client) -> None:
    fake.deliver(received_at=NOON - timedelta(days=40))
    fake.deliver(subject="recent", received_at=NOON)

    page = first_page(client, **{"$filter": "receivedDateTime ge 2026-02-01T00:00:00Z"})

    assert [each["subject"] for each in page["value"]] == ["recent"]


def test_an_unknown_option_is_refused(client: httpx.Client) -> None:
    answer = client.get("/users/reports@msp.example/mailFolders/inbox/messages/delta", params={"$fliter": "x"})

    assert answer.status_code == 400


def test_an_expired_token_is_gone(fake: FakeGraph, client: httpx.Client) -> None:
    link = first_page(client)["@odata.deltaLink"]
    fake.expire_tokens()

    answer = client.get(link)

    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "syncStateNotFound")


def test_a_move_changes_the_ordinary_id_and_keeps_the_immutable_one(fake: FakeGraph, client: httpx.Client) -> None:
    message = fake.deliver()
    before, immutable = message.id, message.immutable_id
    archive = fake.add_folder("Archive")

    def move(key: str, prefer: str) -> httpx.Response:
        path = f"/users/reports@msp.example/messages/{quote(key, safe='')}/move"
        return client.post(path, json={"destinationId": archive.id}, headers={"Prefer": prefer})

    moved = move(immutable, IMMUTABLE["Prefer"]).json()

    assert moved["id"] == immutable
    assert message.id != before
    assert move(before, "").status_code == 404
    assert move(message.id, "").status_code == 201
    assert [each.immutable_id for each in fake.messages("Archive")] == [immutable]


def test_mime_is_what_was_delivered(fake: FakeGraph, client: httpx.Client) -> None:
    message = fake.deliver(b"From: a@customer.example\r\nSubject: hi\r\n\r\ntext\r\n")

    answer = client.get(f"/users/reports@msp.example/messages/{quote(message.immutable_id, safe='')}/$value")

    assert answer.content == message.mime


def test_html_is_preferred_and_attachments_are_told(fake: FakeGraph) -> None:
    inner = fake.deliver(subject="inner").mime
    message = fake.deliver(body="<p>Grüße</p>", html=True, attachment=inner)

    assert message.fields["body"]["contentType"] == "html"
    assert "Grüße" in message.fields["body"]["content"]
    assert message.fields["hasAttachments"] is True
    assert message.fields["from"]["emailAddress"] == {"name": "Backup", "address": "backup@customer.example"}


def test_folders_nest_page_and_hide(fake: FakeGraph, client: httpx.Client) -> None:
    fake.add_folder("Inbox/Backup/Veeam")
    fake.deliver(folder="Inbox/Backup")

    top = client.get("/users/reports@msp.example/mailFolders", params={"$top": "2"}).json()
    rest = client.get(top["@odata.nextLink"]).json()
    inbox = top["value"][0]
    below = client.get(f"/users/reports@msp.example/mailFolders/{quote(inbox['id'], safe='')}/childFolders").json()

    assert [each["displayName"] for each in top["value"] + rest["value"]] == [
        "Inbox", "Archive", "Deleted Items", "Junk Email",
    ]  # fmt: skip
    assert (below["value"][0]["displayName"], below["value"][0]["totalItemCount"]) == ("Backup", 1)


def test_messages_are_listed_in_pages(fake: FakeGraph, client: httpx.Client) -> None:
    made = {fake.deliver().immutable_id for _ in range(5)}
    found: list[str] = []

    link = f"{fake.url}/users/reports@msp.example/mailFolders/inbox/messages?$select=id&$top=2"
    while link:
        page = client.get(link).json()
        found += [each["id"] for each in page["value"]]
        link = page.get("@odata.nextLink")

    assert sorted(found) == sorted(made)


def test_a_batch_answers_each_part_by_itself(fake: FakeGraph, client: httpx.Client) -> None:
    message = fake.deliver()
    messages = "/users/reports@msp.example/messages"
    fake.faults.add(Fault.throttle("7", on="messages/second").within_batches())
    parts = [
        {"id": "1", "method": "GET", "url": f"{messages}/{quote(message.immutable_id, safe='')}"},
        {"id": "2", "method": "GET", "url": f"{messages}/second"},
        {"id": "3", "method": "GET", "url": f"{messages}/third"},
    ]  # fmt: skip

    answer = client.post("/$batch", json={"requests": parts})
    found = {each["id"]: each for each in answer.json()["responses"]}

    assert answer.status_code == 200
    assert {key: each["status"] for key, each in found.items()} == {"1": 200, "2": 429, "3": 404}
    assert found["2"]["headers"]["Retry-After"] == "7"
    assert client.post("/$batch", json={"requests": [{**parts[0], "id": str(n)} for n in range(21)]}).status_code == 400


def test_another_mailbox_is_forbidden_and_an_unknown_one_not_found(client: httpx.Client) -> None:
    assert client.get("/users/boss@msp.example/mailFolders").status_code == 403
    assert client.get("/users/nobody@msp.example/mailFolders").status_code == 404


def test_a_subscription_is_validated_at_both_addresses(client: httpx.Client, webhook: Webhook) -> None:
    made = subscribe(client, webhook)

    assert made.status_code == 201, made.text
    assert sorted(webhook.paths) == ["/lifecycle", "/notifications"]
    assert subscribe(client, webhook).status_code == 409


def test_a_subscriber_that_does_not_echo_is_refused(client: httpx.Client, webhook: Webhook) -> None:
    webhook.echoes = False

    answer = subscribe(client, webhook)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ValidationError")


def test_a_subscription_lasts_a_week_at_most(client: httpx.Client, webhook: Webhook) -> None:
    too_long = (NOON + timedelta(minutes=10_081)).isoformat()

    assert subscribe(client, webhook, expirationDateTime=too_long).status_code == 400


def test_subscriptions_are_renewed_listed_and_removed(fake: FakeGraph, client: httpx.Client, webhook: Webhook) -> None:
    key = subscribe(client, webhook).json()["id"]

    renewed = client.patch(f"/subscriptions/{key}", json={"expirationDateTime": "2026-03-08T12:00:00Z"}).json()
    listed = client.get("/subscriptions").json()["value"]

    assert renewed["expirationDateTime"].startswith("2026-03-08T12:00:00")
    assert [each["id"] for each in listed] == [key]
    assert client.delete(f"/subscriptions/{key}").status_code == 204
    assert client.delete(f"/subscriptions/{key}").status_code == 404
    fake.refuse_subscriptions()
    assert subscribe(client, webhook).status_code == 403


def test_an_expired_subscription_is_gone(fake: FakeGraph, client: httpx.Client, webhook: Webhook) -> None:
    key = subscribe(client, webhook).json()["id"]
    fake.graph.subscriptions.now = lambda: NOON + timedelta(days=4)

    answer = client.patch(f"/subscriptions/{key}", json={"expirationDateTime": "2026-03-08T12:00:00Z"})

    assert answer.status_code == 404


def test_notifications_come_twice_in_any_order_and_forged(
    fake: FakeGraph, client: httpx.Client, webhook: Webhook
) -> None:
    subscribe(client, webhook)
    messages = [fake.deliver() for _ in range(3)]

    statuses = fake.notify(*messages, copies=2, shuffled=True)
    fake.notify(messages[0], client_state="forged")

    ids = [item["resourceData"]["id"] for item in webhook.told]
    assert statuses == [202] * 6
    assert sorted(ids[:6]) == sorted([each.immutable_id for each in messages] * 2)
    assert [item["clientState"] for item in webhook.told] == ["secret"] * 6 + ["forged"]


def test_lifecycle_events_reach_the_second_address(fake: FakeGraph, client: httpx.Client, webhook: Webhook) -> None:
    subscribe(client, webhook)

    fake.lifecycle("missed")
    fake.lifecycle("subscriptionRemoved")

    assert [item["lifecycleEvent"] for item in webhook.told] == ["missed", "subscriptionRemoved"]
    assert webhook.paths[-1] == "/lifecycle"
    assert fake.subscriptions() == []


def test_planned_faults_happen_as_often_as_planned(fake: FakeGraph, client: httpx.Client) -> None:
    fake.faults.add(Fault.throttle("3"), Fault.of(503, on="delta", times=2))
    path = "/users/reports@msp.example/mailFolders/inbox/messages/delta"

    answers = [client.get(path) for _ in range(4)]

    assert [each.status_code for each in answers] == [429, 503, 503, 200]
    assert answers[0].headers["Retry-After"] == "3"
    assert [call.status for call in fake.calls] == [429, 503, 503, 200]


def test_a_cut_answer_breaks_off_halfway(fake: FakeGraph, client: httpx.Client) -> None:
    fake.faults.add(Fault.cut())

    with pytest.raises(httpx.RemoteProtocolError):
        first_page(client)


def test_a_hanging_request_ends_without_an_answer(fake: FakeGraph, client: httpx.Client) -> None:
    fake.faults.add(Fault.hang(0.01), Fault.hang(30))

    with pytest.raises(httpx.RemoteProtocolError):
        first_page(client)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/subscriptions", timeout=0.2)


def test_spoilt_pages_still_lead_to_every_mail(fake: FakeGraph, client: httpx.Client) -> None:
    made = [fake.deliver().immutable_id for _ in range(6)]
    fake.faults.add(*(Fault.page(effect) for effect in (Effect.EMPTY, Effect.REMOVED, Effect.REPEAT, Effect.BROKEN)))

    pairs = {"Prefer": 'IdType="ImmutableId", odata.maxpagesize=2'}

    pages = [first_page(client, size=2)]
    while "@odata.nextLink" in pages[-1]:
        pages.append(client.get(pages[-1]["@odata.nextLink"], headers=pairs).json())

    items = [item for page in pages for item in page["value"]]
    ids = [item["id"] for item in items if item.get("receivedDateTime")]
    assert pages[0]["value"] == []
    assert any("@removed" in item for item in items)
    assert any("id" not in item for item in items)
    assert len(ids) > len(set(ids))
    assert set(ids) == set(made)


def test_a_fifth_request_at_once_is_refused(fake: FakeGraph) -> None:
    def ask() -> int:
        return httpx.get(f"{fake.url}/users/reports@msp.example/mailFolders", timeout=30).status_code

    with ThreadPoolExecutor(4) as pool, fake.listener.held():
        waiting = [pool.submit(ask) for _ in range(4)]
        while fake.listener.under_way < 4:
            sleep(0.01)
        fifth = ask()

    assert fifth == 429
    assert [each.result() for each in waiting] == [200] * 4
    assert fake.most_at_once == 5


def test_random_faults_are_the_same_for_the_same_seed(fake: FakeGraph, client: httpx.Client) -> None:
    def statuses() -> list[int]:
        fake.faults = Faults.random(7, 0.5, kinds=[Fault.of(503), Fault.throttle("0")])
        return [client.get("/users/reports@msp.example/mailFolders").status_code for _ in range(20)]

    first = statuses()

    assert statuses() == first
    assert set(first) == {200, 429, 503}
