"""What share of real misses is found, and how much is cried about, over an invented world of every kind of schedule."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from shared.domain.judge_history import judge_history
from tests.schedule_world import KINDS, ZONE, World, jobs

FIRST, LAST = date(2026, 1, 20), date(2026, 11, 20)
UNTIL = datetime(2026, 11, 20, 20, tzinfo=UTC)
SETTLED = UNTIL - timedelta(hours=2)  # younger slots may still be within their grace


@dataclass(slots=True)
class Tally:
    """Real misses, those found, cries about nothing, and slots."""

    real: int = 0
    found: int = 0
    cried: int = 0
    slots: int = 0

    @property
    def recall(self) -> float:
        return self.found / self.real if self.real else 1.0

    @property
    def false_share(self) -> float:
        return self.cried / self.slots if self.slots else float(self.cried > 0)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.real + other.real, self.found + other.found, self.cried + other.cried, self.slots + other.slots
        )


def tally(world: World) -> Tally:
    """Compare what was found with the truth; a slot is the same within half the way to the next."""
    cried = list(judge_history(world.runs, ZONE, until=UNTIL).missed)
    real = [slot for slot in world.missed if slot < SETTLED]
    found = 0
    for slot in real:
        nearest = min(cried, key=lambda each: abs(each - slot), default=None)
        if nearest is not None and abs(nearest - slot) <= _tolerance(world):
            cried.remove(nearest)
            found += 1
    return Tally(len(real), found, len(cried), len(world.slots))


def _tolerance(world: World) -> timedelta:
    gaps = sorted(later - earlier for earlier, later in pairwise(sorted(world.slots)))
    return min(timedelta(hours=12), gaps[len(gaps) // 2] / 2) if gaps else timedelta(hours=12)


def measure(seed: int, number: int) -> dict[str, Tally]:
    found: dict[str, Tally] = defaultdict(Tally)
    for world in jobs(seed, FIRST, LAST, number):
        found[world.kind] += tally(world)
    return found


def check(by_kind: dict[str, Tally]) -> None:
    total = sum(by_kind.values(), Tally())
    assert total.recall >= 0.995, total
    assert total.false_share <= 0.002, total
    for kind, each in by_kind.items():
        assert each.recall >= 0.97, (kind, each)
        assert each.false_share <= 0.01, (kind, each)


@pytest.mark.slow
def test_misses_are_found_and_nothing_is_cried_about() -> None:
    by_kind = measure(seed=1, number=4)

    assert set(by_kind) == set(KINDS)
    total = sum(by_kind.values(), Tally())
    assert total.recall >= 0.985, by_kind
    assert total.false_share <= 0.003, by_kind


@pytest.mark.soak
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_over_six_hundred_jobs_the_promised_figures_hold(seed: int) -> None:
    check(measure(seed, number=36))
