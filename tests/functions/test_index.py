"""What the platform finds in function_app.py: exactly these functions, without loading anything heavy."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("fastapi", "sqlalchemy", "psycopg2", "pydantic", "jinja2", "msgraph", "azure.identity", "reportlab")

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

    assert found == {
        "web": [("httpTrigger", "IN"), ("http", "OUT")],
        "mail_import": [("timerTrigger", "IN")],
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


def test_every_setting_that_a_binding_names_stands_in_the_example(index: Index) -> None:
    """The host starts nothing at all while one of them is missing."""
    named = set(re.findall(r"%(\w+)%", json.dumps(index.bindings)))

    values = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    assert named
    assert named <= values.keys()


def test_indexing_loads_nothing_heavy(index: Index) -> None:
    assert index.heavy == []
