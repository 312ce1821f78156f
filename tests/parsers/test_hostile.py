"""Hostile, huge and broken mails: always an outcome, soon, and never better than the whole mail."""

import random
import time
from pathlib import Path

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Ambiguous, Parsed, Unreadable, Unrecognised
from shared.domain.status import Status
from shared.parsers.eml import NotAMail, mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.registry import read
from tests.hostile import hostile_mails, mutations, truncations

SAMPLES = sample_files()
HOSTILE = hostile_mails()
GREEN = (Status.SUCCESS, Status.INFORMATIONAL)
# Layouts without anything at their end: cut at the right place, they are what a whole mail may be.
ENDLESS = {
    "bacula/daemon-message-error",
    "duplicati/failed-errors-under-success",
    "macrium/backup-success-but-log-aborted",
    "proxmox/pbs-client-failed-one-of-two",
}
# Far above what any takes: what is quadratic needs minutes. `make soak` measures the second that is promised.
CPU_SECONDS = 20
# Parsed by right: these mails are whole, only big or odd.
WHOLE = {"a report of 5,000 objects", "JSON with what no column takes"}


def worst_status(raw: bytes) -> Status | None:
    """Return the worst verdict that the mail proves, None when it proves none."""
    try:
        outcome = read(mail_from_eml(raw))
    except NotAMail:
        return None
    return outcome.worst.status if isinstance(outcome, Parsed) else None


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_ends_soon_in_an_outcome_that_can_be_stored(name: str) -> None:
    started = time.process_time()

    try:
        mail = mail_from_eml(HOSTILE[name])
        outcome = read(mail)
    except NotAMail as problem:
        assert str(problem)  # noqa: PT017 -- being no mail is a good end too
        return

    assert time.process_time() - started < CPU_SECONDS
    assert name in WHOLE or not isinstance(outcome, Parsed)
    words = "\n".join([mail.subject, mail.from_address, mail.from_name, mail.text, mail.html, mail.message_id or ""])
    files = "\n".join(f"{each.name} {each.content_type}" for each in mail.attachments)
    assert "\0" not in words + files
    assert (words + files).encode("utf-8")


@pytest.mark.parametrize("seed", range(4))
def test_damaged_samples_end_in_an_outcome(seed: int) -> None:
    chance = random.Random(seed)

    for sample in chance.sample(SAMPLES, 40):
        for damaged in mutations(sample.read_bytes(), chance, 5):
            assert is_an_outcome(damaged), sample.name


@pytest.mark.parametrize("seed", range(4))
def test_a_sample_that_is_cut_off_never_turns_green(seed: int) -> None:
    chance = random.Random(seed)

    for sample in chance.sample(SAMPLES, 40):
        raw = sample.read_bytes()
        green = [len(cut) for cut in truncations(raw, chance, 8) if turns_green(cut, raw)]
        assert green == [] or name_of(sample) in ENDLESS, sample


def is_an_outcome(raw: bytes) -> bool:
    try:
        mail = mail_from_eml(raw)
    except NotAMail:
        return True
    return isinstance(mail, Mail) and isinstance(read(mail), Parsed | Unreadable | Unrecognised | Ambiguous)


def turns_green(cut: bytes, whole: bytes) -> bool:
    return worst_status(cut) in GREEN and worst_status(whole) not in GREEN


def name_of(path: Path) -> str:
    return f"{path.parent.parent.name}/{path.stem}"
