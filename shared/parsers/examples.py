"""An example of each parser's mails, taken from the invented samples beside the parsers."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import expected, sample_files

LINES = 14
WIDTH = 160


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A sample mail in short, and what is read in it."""

    from_address: str
    subject: str
    excerpt: str
    job_name: str | None
    status: str
    objects: int


@cache
def examples() -> dict[str, Example]:
    """Return a sample of each parser, by the parser's name: a small one that shows much."""
    chosen: dict[str, Path] = {}
    for sample in sorted(_readable_samples(), key=_rank):
        chosen.setdefault(str(expected(sample)["parser"]), sample)
    return {parser: _example(sample) for parser, sample in chosen.items()}


def _readable_samples() -> Iterator[Path]:
    return (sample for sample in sample_files() if expected(sample)["outcome"] == "parsed")


def _rank(sample: Path) -> tuple[bool, bool, bool, int]:
    reading = expected(sample)
    return reading["kind"] == "event", not reading["objects"], reading["status"] != "success", sample.stat().st_size


def _example(sample: Path) -> Example:
    mail, reading = mail_from_eml(sample.read_bytes()), expected(sample)
    lines = [line[:WIDTH].rstrip() for line in mail.body.splitlines() if line.strip()]
    return Example(
        from_address=mail.from_address,
        subject=mail.subject,
        excerpt="\n".join(lines[:LINES]) + ("\n…" if len(lines) > LINES else ""),
        job_name=None if reading["job_name"] is None else str(reading["job_name"]),
        status=str(reading["status"]),
        objects=len(reading["objects"]) if isinstance(reading["objects"], list) else 0,
    )
