"""What a review form asks for, and the words of the answer."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form

from functions.http_api.addresses import LARGEST_ID
from functions.http_api.client import safe_next
from functions.http_api.formats import plural
from functions.http_api.run_checks.here import PAGE
from shared.services.errors import BadInput
from shared.services.review_runs import Reviewed, Seen

LONGEST_REASON = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The runs to review as they were on screen, why, and where the form came from."""

    on_screen: tuple[Seen, ...]
    only: tuple[Seen, ...]
    reason: str
    back: str

    @property
    def seen(self) -> tuple[Seen, ...]:
        return self.only or self.on_screen


def _asked(
    runs: Annotated[Sequence[str], Form()] = (),
    only: Annotated[Sequence[str], Form()] = (),
    reason: Annotated[Sequence[str], Form()] = (),
    back: Annotated[str, Form()] = PAGE,
) -> Asked:
    """`runs` are the pairs on screen, `only` those of a button that means fewer of them."""
    why = " ".join(next((words for words in reversed(reason) if words.strip()), "").split())
    if len(why) > LONGEST_REASON:
        raise BadInput(f"Say it in at most {LONGEST_REASON} characters.")
    return Asked(on_screen=_pairs(runs), only=_pairs(only), reason=why.replace("\0", ""), back=safe_next(back))


AskedFor = Annotated[Asked, Depends(_asked)]


def written(seen: Iterable[Seen]) -> str:
    """Return runs as a form carries them: `12:1,13:1`."""
    return ",".join(f"{run_id}:{version}" for run_id, version in seen)


def answer(done: Reviewed, *, arrived: int, reviewer: str) -> str:
    """Return what exactly a review did, in sentences."""
    said = [f"Reviewed {plural(len(done.run_ids), 'run')}." if done.run_ids else "Nothing was reviewed."]
    if done.changed:
        stays = "stays" if len(done.changed) == 1 else "stay"
        said.append(f"{plural(len(done.changed), 'run')} changed since you saw it and {stays} open.")
    for name, count in Counter(name for _, name in done.by_others).items():
        who = "you" if name == reviewer else name
        said.append(f"{count:,} {'was' if count == 1 else 'were'} reviewed by {who} already.")
    if arrived:
        said.append(f"{plural(arrived, 'new run')} arrived meanwhile and {'stays' if arrived == 1 else 'stay'} open.")
    return " ".join(said)


def _pairs(values: Sequence[str]) -> tuple[Seen, ...]:
    return tuple(_pair(text) for value in values for text in value.split(",") if text)


def _pair(text: str) -> Seen:
    run_id, colon, version = text.partition(":")
    if not (colon and _is_number(run_id) and _is_number(version)):
        raise BadInput("This page does not say which runs you saw. Reload it and try again.")
    return int(run_id), int(version)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST_ID
