"""How fast mails are read, against the least that any reader must do with them."""

import statistics
import time
from collections.abc import Callable, Sequence
from email import policy
from email.parser import BytesParser

from selectolax.lexbor import LexborHTMLParser

from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.registry import read

ROUNDS = 5
SECONDS = 1.5  # of CPU, a round and side


def bench_parse() -> dict[str, float]:
    """Return mails/s/core of our reading, of the floor, and their ratio: medians of alternating rounds.

    The floor decodes the same mails with `email` and turns their HTML into text.
    """
    raws = [sample.read_bytes() for sample in sample_files()]
    for raw in raws:
        _read(raw)  # loads the parsers
    ours, floor = [], []
    for _ in range(ROUNDS):
        ours.append(_rate(_read, raws))
        floor.append(_rate(_floor, raws))
    ratio = statistics.median(mine / least for mine, least in zip(ours, floor, strict=True))
    return {
        "parse_mails_per_second_per_core": round(statistics.median(ours)),
        "parse_floor_mails_per_second_per_core": round(statistics.median(floor)),
        "parse_ratio": round(ratio, 3),
    }


def _rate(work: Callable[[bytes], None], raws: Sequence[bytes]) -> float:
    done, started = 0, time.process_time()
    while (spent := time.process_time() - started) < SECONDS:
        for raw in raws:
            work(raw)
        done += len(raws)
    return done / spent


def _read(raw: bytes) -> None:
    read(mail_from_eml(raw))


def _floor(raw: bytes) -> None:
    message = BytesParser(policy=policy.compat32).parsebytes(raw)
    for part in message.walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and part.get_content_type() == "text/html":
            LexborHTMLParser(content.decode("utf-8", "replace")).text()
