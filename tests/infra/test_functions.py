"""Functions called on this machine as the platform calls them: by request, and by message."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import azure.functions as func
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from infra.local.functions import HttpFunctions, index, queue_handlers
from infra.local.queues import emptying
from infra.local.threads import working
from shared.clients.errors import Unavailable
from shared.clients.queue_azure import AzureQueues
from shared.clients.queue_memory import MemoryQueues
from shared.clients.queues import MAX_DEQUEUES, POISON, QueueService, Taken

STORAGE = "AzureWebJobsStorage"


def order(req: func.HttpRequest, kettle: func.Out[str]) -> func.HttpResponse:
    """Order as many teas as the query says."""
    text = req.get_body().decode()
    if text == "coffee":
        raise ValueError("no coffee")
    if text:
        kettle.set(f"{text} for {req.params.get('who', 'nobody')}")
    return func.HttpResponse(req.headers["x-mood"], status_code=202, headers={"X-Kind": "Tea"})


def order_all(req: func.HttpRequest, kettle: func.Out[list[str]]) -> func.HttpResponse:
    kettle.set(req.get_body().decode().split())
    return func.HttpResponse(status_code=202)


def page(req: func.HttpRequest) -> func.HttpResponse: ...


@pytest.fixture
def functions() -> func.FunctionApp:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    for name, work in {"order": order, "order_all": order_all}.items():
        with_queue = app.queue_output(arg_name="kettle", queue_name="kettle", connection=STORAGE)(work)
        app.function_name(name)(app.route(route=f"api/{name}", methods=[func.HttpMethod.POST])(with_queue))
    app.function_name("page")(app.route(route="{*path}")(page))
    return app


@pytest.fixture
def queues() -> MemoryQueues:
    return MemoryQueues()


@pytest.fixture
def site(functions: func.FunctionApp, queues: QueueService) -> HttpFunctions:
    async def web_app(request: Request) -> Response:
        return PlainTextResponse(f"page {request.url.path}")

    pages = Starlette(routes=[Route("/{path:path}", web_app, methods=["GET", "POST"])])
    return HttpFunctions(pages, index(functions), queues)


def asked(site: HttpFunctions, path: str, body: str | bytes | None = None, method: str = "POST") -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://localhost") as client:
            return await client.request(method, path, content=body, headers={"X-Mood": "good"})

    return asyncio.run(ask())


def in_kettle(queues: MemoryQueues) -> list[str]:
    found: list[str] = []
    queues.drain({"kettle": lambda taken: found.append(taken.body)})
    return found


def test_a_function_gets_the_request_and_its_answer_goes_back(site: HttpFunctions, queues: MemoryQueues) -> None:
    answer = asked(site, "/api/order?who=Ada%20L", "tea")

    assert (answer.status_code, answer.text, answer.headers["x-kind"]) == (202, "good", "Tea")
    assert in_kettle(queues) == ["tea for Ada L"]


def test_a_function_may_say_nothing_or_several_things_to_a_queue(site: HttpFunctions, queues: MemoryQueues) -> None:
    assert asked(site, "/api/order").status_code == 202
    assert in_kettle(queues) == []

    assert asked(site, "/api/order_all", "one two three").status_code == 202
    assert in_kettle(queues) == ["one", "two", "three"]


def test_a_function_that_fails_answers_500_and_says_nothing(
    site: HttpFunctions, queues: MemoryQueues, caplog: pytest.LogCaptureFixture
) -> None:
    assert asked(site, "/api/order", "coffee").status_code == 500
    assert in_kettle(queues) == []
    assert "a function failed" in caplog.messages


class DeadQueues(MemoryQueues):
    """A queue service that is away."""

    def put(self, name: str, body: str, **how: object) -> None:
        raise Unavailable("away")

    def take(self, name: str) -> Taken | None:
        self.was_asked.set()
        raise Unavailable("away")

    was_asked = threading.Event()


@pytest.mark.parametrize("queues", [DeadQueues()])
def test_nobody_is_told_that_it_is_queued_when_it_is_not(site: HttpFunctions, queues: QueueService) -> None:
    assert asked(site, "/api/order", "tea").status_code == 500


@pytest.mark.parametrize("method,path", [("GET", "/api/order"), ("POST", "/api/orders"), ("POST", "/"), ("GET", "/x")])
def test_everything_else_is_the_web_apps(site: HttpFunctions, method: str, path: str) -> None:
    assert asked(site, path, method=method).text == f"page {path}"


def test_a_body_that_is_too_large_reaches_no_function(site: HttpFunctions) -> None:
    assert asked(site, "/api/order", b"x" * (10 * 1024 * 1024 + 1)).status_code == 413


def handler_app(queue: str, work: object) -> func.FunctionApp:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    triggered = app.queue_trigger(arg_name="message", queue_name=queue, connection=STORAGE)(work)
    app.function_name(queue.replace("-", "_"))(triggered)
    return app


def test_a_message_reaches_the_function_of_its_queue_with_all_that_the_platform_tells(queues: MemoryQueues) -> None:
    seen: list[func.QueueMessage] = []

    def brew(message: func.QueueMessage) -> None:
        seen.append(message)

    queues.put("kettle", "tea ✓")
    queues.drain(queue_handlers(index(handler_app("kettle", brew))))

    [message] = seen
    assert (message.get_body().decode(), message.dequeue_count) == ("tea ✓", 1)
    assert message.id


@contextmanager
def emptied(queues: QueueService, **handlers: object) -> Iterator[None]:
    with working(emptying(queues, {name: handler for name, handler in handlers.items() if callable(handler)})):
        yield


def test_queues_are_emptied_as_messages_come(queues: MemoryQueues) -> None:
    done = threading.Barrier(2)

    with emptied(queues, kettle=lambda taken: done.wait(10)):
        for number in range(3):
            queues.put("kettle", str(number))
            done.wait(10)


def test_the_queues_of_a_storage_account_are_emptied_too(azurite: str) -> None:
    done = threading.Event()
    account = AzureQueues(connection=azurite)
    account.put("kettle-of-the-account", "tea")

    with working(emptying(account, {"kettle-of-the-account": lambda taken: done.set()})):
        assert done.wait(10)

    account.close()


def test_a_message_that_fails_does_not_hold_up_the_others(
    queues: MemoryQueues, caplog: pytest.LogCaptureFixture
) -> None:
    good = threading.Event()

    def brew(taken: Taken) -> None:
        if taken.body == "coffee":
            raise ValueError("no coffee")
        good.set()

    with emptied(queues, kettle=brew):
        queues.put("kettle", "coffee")
        queues.put("kettle", "tea")
        assert good.wait(10)

    assert "a queue message failed" in caplog.messages


def test_a_service_that_is_away_is_asked_again_later_and_stopping_does_not_wait_for_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = DeadQueues()

    with emptied(away, kettle=lambda taken: None):
        assert away.was_asked.wait(10)

    assert "a queue cannot be emptied for now" in caplog.messages


def test_the_real_functions_bury_what_nobody_can_read(committed_db: object, queues: MemoryQueues) -> None:
    """Through the very functions of the app: five tries, the poison queue, the dead letters."""
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from functions.mail_import import queue_triggers
    from shared.models.pipeline import DeadLetter

    assert isinstance(committed_db, Session)
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    app.register_functions(queue_triggers.bp)
    handlers = queue_handlers(index(app))
    queues.put("mail-wake", "nonsense")
    queues.put("mail-parse", '{"version": 1, "ids": "all"}')

    delivered = queues.drain(handlers)

    assert delivered == 2 * (MAX_DEQUEUES + 1)
    assert {tuple(row) for row in committed_db.execute(select(DeadLetter.queue, DeadLetter.body))} == {
        ("mail-wake", "nonsense"),
        ("mail-parse", '{"version": 1, "ids": "all"}'),
    }
    assert queues.take("mail-wake" + POISON) is None
