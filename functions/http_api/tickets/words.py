"""What was done to a ticket or a remark, in sentences."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.http_api.formats import plural
from shared.queries.history import Act


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a history."""

    at: datetime
    by: str
    text: str


def history(acts: Sequence[Act]) -> list[Line]:
    """Return the acts in words, newest first."""
    return [Line(at=act.at, by=act.by, text=_said(act.action, act.facts)) for act in acts]


def _said(action: str, facts: Mapping[str, Any]) -> str:
    verb = action.partition(".")[2]
    return _SAID[verb](facts) if verb in _SAID else _PLAIN.get(verb, verb.replace("_", " "))


def _changed(facts: Mapping[str, Any]) -> str:
    return f"changed {' and '.join('the words' if name == 'body' else f'the {name}' for name in facts)}"


def _count(facts: Mapping[str, Any], name: str, one: str) -> str:
    found = facts.get(name, ())
    return plural(found if isinstance(found, int) else len(found), one)


def _not_recognised(facts: Mapping[str, Any]) -> str:
    if facts.get("mismatch") == "company":
        return "found that at Autotask it is another company's ticket now"
    return f"found that at Autotask its id is that of {facts.get('found')}"


_SAID: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "made": lambda facts: f"made it for {_count(facts, 'jobs', 'job')}, on {_count(facts, 'runs', 'run')}",
    "adopted": lambda facts: f"took it over from Autotask for {_count(facts, 'jobs', 'job')}",
    "linked": lambda facts: f"linked it to {_count(facts, 'runs', 'run')}",
    "edited": _changed,
    "resolved": lambda facts: f"resolved it: “{facts['note']}”" if facts.get("note") else "resolved it",
    "not_recognised": _not_recognised,
    "numbered": lambda facts: f"was told its number, {facts['code']}" if facts.get("code") else "made it at Autotask",
}
_PLAIN = {
    "recognised": "found that at Autotask it is this ticket again",
    "reopened": "opened it again",
    "restored": "found it again at Autotask",
    "scope_resolved": "resolved it for one job",
}
