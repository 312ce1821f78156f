"""What a connection test found, step by step, in words for the one who has to put it right."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing that was tried; `says` is a sentence for the one who has to put it right."""

    name: str
    state: State
    says: str


ConnectionReport = tuple[Step, ...]


def skipped(name: str, says: str) -> Step:
    return Step(name=name, state=State.SKIPPED, says=says)
