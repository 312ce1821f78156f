"""The functions of function_app.py, called here as the platform calls them: by request, by message, by the clock."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import azure.functions as func
from azure.functions.queue import QueueMessage
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.clients.queues import Handler, QueueService, Taken

log = logging.getLogger(__name__)

LARGEST_BODY = 10 * 1024 * 1024

Binding = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """One function: what starts it, and where what it says goes."""

    name: str
    trigger: Binding
    outputs: tuple[Binding, ...]
    work: Callable[..., Any]


class Output(func.Out[str | list[str]]):
    """Keeps what a function says to an output binding until it has ended well: one message, or several."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def set(self, val: str | list[str]) -> None:
        self.messages = [val] if isinstance(val, str) else val

    def get(self) -> str | list[str]:
        return self.messages


def index(app: func.FunctionApp) -> list[Function]:
    """Return what `app` holds. It can be asked once only."""
    return [_indexed(each) for each in app.get_functions()]


def _indexed(function: Any) -> Function:  # noqa: ANN401 -- the library's own type is private
    bindings = [binding.get_dict_repr() for binding in function.get_bindings()]
    [trigger] = [each for each in bindings if str(each["type"]).endswith("Trigger")]
    return Function(
        name=str(function.get_function_name()),
        trigger=trigger,
        outputs=tuple(each for each in bindings if each["type"] == "queue"),
        work=function.get_user_function(),
    )


def queue_handlers(functions: Sequence[Function]) -> dict[str, Handler]:
    """Return what handles the messages of each queue."""
    return {each.trigger["queueName"]: _handler(each) for each in functions if each.trigger["type"] == "queueTrigger"}


def _handler(function: Function) -> Handler:
    def handle(taken: Taken) -> None:
        message = QueueMessage(
            id=taken.message_id,
            body=taken.body.encode(),
            dequeue_count=taken.dequeues,
            pop_receipt=taken.receipt,
        )
        function.work(**{function.trigger["name"]: message})

    return handle


class HttpFunctions:
    """Serves the functions that have an address of their own; everything else is the web app's."""

    def __init__(self, app: ASGIApp, functions: Sequence[Function], queues: QueueService) -> None:
        self._app = app
        self._queues = queues
        self._functions = {
            (str(method.value), f"/{each.trigger['route']}"): each
            for each in functions
            if each.trigger["type"] == "httpTrigger" and "{" not in each.trigger["route"]
            for method in each.trigger["methods"]
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = (scope.get("method", ""), scope["path"].rstrip("/")) if scope["type"] == "http" else None
        function = self._functions.get(place) if place else None
        if function is None:
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        answer = await asyncio.to_thread(self._call, function, _request(scope, body)) if body is not None else TOO_LARGE
        await _send(answer, send)

    def _call(self, function: Function, request: func.HttpRequest) -> func.HttpResponse:
        """Call the function; as on the platform, the answer is a failure unless what it said is in the queue."""
        outputs = {each["name"]: Output() for each in function.outputs}
        try:
            answer: func.HttpResponse = function.work(**{function.trigger["name"]: request}, **outputs)
            for each in function.outputs:
                for message in outputs[each["name"]].messages:
                    self._queues.put(each["queueName"], message)
        except Exception:
            log.exception("a function failed", extra={"function": function.name})
            return func.HttpResponse(status_code=500)
        return answer


TOO_LARGE = func.HttpResponse(status_code=413)


async def _body(receive: Receive) -> bytes | None:
    """Return the whole body; None when it is too large."""
    body, more = b"", True
    while more and len(body) <= LARGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body if len(body) <= LARGEST_BODY else None


def _request(scope: Scope, body: bytes) -> func.HttpRequest:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    url = f"{scope['scheme']}://{headers.get('host', 'localhost')}{scope['path']}?{query}"
    params = dict(parse_qsl(query, keep_blank_values=True))
    return func.HttpRequest(scope["method"], url, headers=headers, params=params, body=body)


async def _send(answer: func.HttpResponse, send: Send) -> None:
    body = answer.get_body()
    kind = f"{answer.mimetype}; charset={answer.charset}"
    headers = {"content-type": kind, **{name.lower(): value for name, value in answer.headers.items()}}
    headers["content-length"] = str(len(body))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": raw})
    await send({"type": "http.response.body", "body": body})
