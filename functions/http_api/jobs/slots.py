"""What became of slots, in a sentence."""

from collections.abc import Mapping

from shared.domain.slot_state import SlotState

_WORDS = {
    SlotState.ARRIVED: "in time",
    SlotState.LATE: "late",
    SlotState.MISSED: "missed",
    SlotState.NOT_JUDGED: "not judged",
    SlotState.SKIPPED: "closed or paused",
    SlotState.EXPECTED: "still expected",
}


def in_words(slots: Mapping[SlotState, int]) -> str:
    """Return "12 in time, 1 missed"; what there is none of isn't said."""
    said = [f"{slots[state]:,} {words}" for state, words in _WORDS.items() if slots.get(state)]
    return ", ".join(said) or "no slot yet"
