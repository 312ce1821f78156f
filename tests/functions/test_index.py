"""What the platform finds in function_app.py: exactly these functions, without loading anything heavy."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.clients.queues import POISON
from shared.domain.queue_message import Queue
from shared.domain.timer import Timer

ROOT = Path(__file__).parents[2]
HEAVY = "fastapi sqlalchemy psycopg2 pydantic jinja2 msgraph azure.identity azure.core azure.storage reportlab".split()

# In a process of its own, like the platform: what others loaded before doesn't count.
INDEX = f"""
import json, sys
import function_app
functions = function_app.app.get_functions()
bindings = {{each.get_function_name(): [json.loads(raw) for raw in each.get_raw_bindings()] for each in functions}}
print(json.dumps({{"bindings": bindings, "heavy": [module for module in {HEAVY!r} if module in sys.modules]}}))
"""


@dataclass(frozen=True, slots=True)
class Index:
    """What indexing found and loaded."""

    bindings: dict[str, list[dict[str, Any]]]
    heavy: list[str]


@pytest.fixture(scope="module")
def index() -> Index:
    told = subprocess.run([sys.executable, "-c", INDEX], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return Index(**json.loads(told))


def test_the_platform_finds_exactly_these_functions_and_bindings(index: Index) -> None:
    found = {
        name: [(binding["type"], binding["direction"]) for binding in bindings]
        for name, bindings in index.bindings.items()
    }

    timer, queue = [("timerTrigger", "IN")], [("queueTrigger", "IN")]
    assert found == {
        "web": [("httpTrigger", "IN"), ("http", "OUT")],
        "mail_import": timer,
        "graph_subscription": timer,
        "watchdog": timer,
        "mail_wake": queue,
        "mail_parse": queue,
        "mail_wake_poison": queue,
        "mail_parse_poison": queue,
        "missed_runs": timer,
        "job_watch": queue,
        "job_watch_poison": queue,
        "autotask_sync": timer,
        "ticket_errands": queue,
        "ticket_errands_poison": queue,
        "graph_notifications": [("queue", "OUT"), ("httpTrigger", "IN"), ("http", "OUT")],
        "graph_lifecycle": [("queue", "OUT"), ("httpTrigger", "IN"), ("http", "OUT")],
    }


def test_the_web_function_answers_every_path_and_method_without_a_key(index: Index) -> None:
    trigger = index.bindings["web"][0]

    assert trigger["route"] == "{*path}"
    assert trigger["authLevel"] == "ANONYMOUS"
    assert set(trigger["methods"]) == {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def test_a_timer_takes_its_schedule_from_the_setting_named_after_it(index: Index) -> None:
    schedules = {
        name: bindings[0]["schedule"]
        for name, bindings in index.bindings.items()
        if bindings[0]["type"] == "timerTrigger"
    }

    assert schedules == {name: f"%CRON_{name.upper()}%" for name in schedules}


def test_every_timer_is_watched(index: Index) -> None:
    assert {name for name, bindings in index.bindings.items() if bindings[0]["type"] == "timerTrigger"} == set(Timer)


def test_every_queue_is_emptied_and_so_is_its_poison_queue(index: Index) -> None:
    emptied = {
        bindings[0]["queueName"]: name
        for name, bindings in index.bindings.items()
        if bindings[0]["type"] == "queueTrigger"
    }

    assert emptied == {queue + suffix: (queue + suffix).replace("-", "_") for queue in Queue for suffix in ("", POISON)}


def test_graph_calls_without_a_key_and_wakes_the_reader(index: Index) -> None:
    for name, path in {"graph_notifications": "notifications", "graph_lifecycle": "lifecycle"}.items():
        output, trigger, _ = index.bindings[name]

        assert (output["queueName"], output["connection"]) == ("mail-wake", "AzureWebJobsStorage")
        assert (trigger["route"], trigger["methods"]) == (f"api/graph/{path}", ["POST"])
        assert trigger["authLevel"] == "ANONYMOUS"


def test_every_setting_that_a_binding_names_stands_in_the_example(index: Index) -> None:
    """The host starts nothing at all while one of them is missing."""
    named = set(re.findall(r"%(\w+)%", json.dumps(index.bindings)))
    named |= {each["connection"] for bindings in index.bindings.values() for each in bindings if "connection" in each}

    values = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    assert {"AzureWebJobsStorage", "CRON_WATCHDOG"} <= named
    assert named <= values.keys()


def test_indexing_loads_nothing_heavy(index: Index) -> None:
    assert index.heavy == []
