"""Gives runs to slots where an operator would put them. Pure; times are seconds since the epoch.

A run belongs to the slot that it was on time for, else to the nearer of the one it is late for and the one it is early
for, where each slot takes one. An early run gives way when the slot's own run comes; it may then have been the very
late run of the slot before. Runs are taken in the order of their times, so the order of their mails does not matter.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shared.domain.schedule import Slot


@dataclass(slots=True)
class Judged:
    """A slot and what came of it: the moment of its run, if any. One that came after the deadline is late."""

    slot: Slot
    run: float | None = None

    @property
    def is_late(self) -> bool:
        return self.run is not None and self.run > self.slot.deadline

    @property
    def is_far_too_early(self) -> bool:
        """Whether the run came earlier than the grace is long: it may be another slot's, or an extra one."""
        return self.run is not None and self.slot.at - self.run > self.slot.deadline - self.slot.at


@dataclass(slots=True)
class Matching:
    """Slots in order, and the runs given to them so far."""

    judged: list[Judged] = field(default_factory=list)

    def give(self, moment: float) -> Judged | None:
        """Return the slot that the run at `moment` is given to, or None for an extra one.

        `moment` isn't before the one given last.
        """
        after = bisect_right(self.judged, moment, key=lambda each: each.slot.at)
        before = self.judged[after - 1] if after else None
        following = self.judged[after] if after < len(self.judged) else None
        if before is not None and before.is_far_too_early and moment <= before.slot.deadline:
            self._give_back(after - 1)
        chosen = _chosen(moment, before, following)
        if chosen is not None:
            chosen.run = moment
        return chosen

    def _give_back(self, place: int) -> None:
        """Take a run from the slot that it came too early for, since that has its own; the one before may have it."""
        early, self.judged[place].run = self.judged[place].run, None
        if place and self.judged[place - 1].run is None:
            self.judged[place - 1].run = early


def _chosen(moment: float, before: Judged | None, following: Judged | None) -> Judged | None:
    can_be_early = (
        following is not None and following.run is None and following.slot.at - moment <= following.slot.early
    )
    if before is None or before.run is not None:
        return following if can_be_early else None
    if moment <= before.slot.deadline or following is None or not can_be_early:
        return before
    return before if moment - before.slot.at <= following.slot.at - moment else following


def match_slots(slots: Iterable[Slot], moments: Iterable[float], *, session_gap: float = 0.0) -> Sequence[Judged]:
    """Return each slot with its run, if any, in order of time.

    A run within `session_gap` seconds of the one before is a further attempt of that one and takes no slot of its own.
    """
    matching = Matching([Judged(slot) for slot in sorted(slots)])
    last = float("-inf")
    for moment in sorted(moments):
        if moment - last > session_gap:
            matching.give(moment)
        last = moment
    return matching.judged
