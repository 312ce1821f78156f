"""Runs the app in Microsoft's own worker library, as the platform does. Started by test_worker.py, not imported.

Each line on stdin is a call, `{"function": …}` with `"http": {…}`, `"timer": {…}` or `"queue": {…}`; each on stdout
its answer. The first line tells what was indexed. Needs Python 3.13 and the package azure-functions-runtime.
"""

import asyncio
import base64
import json
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from azure_functions_runtime import functions_metadata_request, start_threadpool_executor, worker_init_request
from azure_functions_runtime.bindings.datumdef import Datum, datum_as_proto
from azure_functions_runtime.native_invocation import invocation_request_native

# The numbers of the directions of a binding in FunctionRpc.proto.
NUMBERS = {"out": 1, "inout": 2}


class Message:
    """Stands for one generated message class, or for one of its constants."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, **fields: Any) -> SimpleNamespace:
        return SimpleNamespace(**fields)

    def __getattr__(self, name: str) -> "Message | int":
        return NUMBERS.get(name) or Message(name)

    def __repr__(self) -> str:
        return self._name


PROTOS: Any = Message("protos")


def request(**parts: object) -> SimpleNamespace:
    return SimpleNamespace(request=SimpleNamespace(**parts), properties={"host": "127.0.0.1", "protos": PROTOS})


async def indexed() -> dict[str, Any]:
    """Start the worker in this folder; return the functions by name."""
    start_threadpool_executor()
    init = SimpleNamespace(capabilities={}, function_app_directory=str(Path.cwd()))
    started = await worker_init_request(request(worker_init_request=init))
    if str(started.result.status) != "Success":
        sys.exit(f"the worker did not start: {started.result.exception}")
    found = await functions_metadata_request(request())
    return {function.name: function for function in found.function_metadata_results}


def http_input(call: dict[str, Any]) -> Datum:
    body = base64.b64decode(call.get("body", ""))
    query = parse_qsl(urlsplit(call["url"]).query, keep_blank_values=True)
    return Datum(
        {
            "method": Datum(call["method"], "string"),
            "url": Datum(call["url"], "string"),
            "headers": {name: Datum(value, "string") for name, value in call["headers"].items()},
            "query": {name: Datum(value, "string") for name, value in query},
            "params": {},
            "body": Datum(body, "bytes"),
        },
        "http",
    )


def http_output(datum: Datum) -> dict[str, Any]:
    http = datum_as_proto(datum, PROTOS).http
    return {
        "status": int(http.status_code),
        "headers": {name.lower(): value for name, value in http.headers.items()},
        "cookies": {cookie.name: cookie.value for cookie in http.cookies or []},
        "body": base64.b64encode(http.body.bytes).decode(),
    }


async def invoked(function: Any, call: dict[str, Any]) -> dict[str, Any]:
    data, metadata = trigger_input(call)
    done, returned, outputs, error, _ = await invocation_request_native(
        str(uuid.uuid4()), function.function_id, [(trigger_name(function), data)], metadata
    )
    said = {name: messages(datum) for name, datum in outputs if datum.value is not None}
    answer = {"ok": done, "error": error, "outputs": said}
    return {**answer, **http_output(returned)} if "http" in call and done else answer


def trigger_name(function: Any) -> str:
    bindings = [json.loads(raw) for raw in function.raw_bindings]
    [name] = [binding["name"] for binding in bindings if binding["type"].endswith("Trigger")]
    return str(name)


def trigger_input(call: dict[str, Any]) -> tuple[Datum, dict[str, Datum]]:
    """Return what the host sends with a call: the data, and the metadata of a queue message."""
    if "http" in call:
        return http_input(call["http"]), {}
    if "timer" in call:
        return Datum(json.dumps(call["timer"]), "json"), {}
    told = call["queue"]
    metadata = {"Id": told["id"], "DequeueCount": str(told["dequeues"])}
    return Datum(told["body"], "string"), {name: Datum(value, "string") for name, value in metadata.items()}


def messages(datum: Datum) -> list[str]:
    """Return what the host puts into the queue: one message for a string, several for a list."""
    if datum.type == "string":
        return [datum.value]
    found: list[str] = json.loads(datum.value)
    return found


async def main() -> None:
    functions = await indexed()
    say({"functions": sorted(functions)})
    while line := await asyncio.to_thread(sys.stdin.readline):
        call = json.loads(line)
        say(await invoked(functions[call["function"]], call))


def say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    asyncio.run(main())
