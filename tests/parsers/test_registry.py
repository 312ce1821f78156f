"""One parser reads a mail, or we say why none did; what it returns can be stored."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Ambiguous, ObjectResult, Outcome, Parsed, Reading, Unreadable, Unrecognised
from shared.domain.status import Status
from shared.parsers import registry
from shared.parsers.bounds import MAX_MESSAGE, MAX_NAME
from shared.parsers.contract import Parser, UnreadableMail

MAIL = Mail(from_address="a@oak.example", subject="Nightly", body="Success")

Parse = Callable[[Mail], Reading | Sequence[Reading]]


@pytest.fixture
def with_parsers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let these be the only parsers there are."""
    return lambda *parsers: monkeypatch.setattr(registry, "all_parsers", lambda: parsers)


def a_parser(parse: Parse, *, name: str = "oak.backup", recognises: Callable[[Mail], bool] = lambda _: True) -> Parser:
    return Parser(
        name=name,
        software="Oak",
        backup_types=("Backup",),
        languages=("en",),
        looks_for="anything",
        recognises=recognises,
        parse=parse,
    )


def a_reading(**facts: object) -> Reading:
    defaults: dict[str, object] = {
        "software": "Oak",
        "backup_type": "Backup",
        "job_name": "Nightly",
        "status": Status.SUCCESS,
    }
    return Reading(**{**defaults, **facts})


def raises(problem: Exception) -> Parse:
    def parse(mail: Mail) -> Reading:
        raise problem

    return parse


def worst_of(outcome: Outcome) -> Reading:
    assert isinstance(outcome, Parsed)
    return outcome.worst


def test_a_mail_that_nobody_claims_is_unrecognised(with_parsers: Callable[..., None]) -> None:
    with_parsers(a_parser(lambda _: a_reading(), recognises=lambda _: False))

    assert registry.read(MAIL) == Unrecognised()


def test_a_mail_that_two_claim_is_believed_of_neither(with_parsers: Callable[..., None]) -> None:
    with_parsers(a_parser(lambda _: a_reading()), a_parser(lambda _: a_reading(), name="elm.backup"))

    assert registry.read(MAIL) == Ambiguous(parsers=("oak.backup", "elm.backup"))


def test_a_parser_that_crashes_makes_the_mail_unreadable(with_parsers: Callable[..., None]) -> None:
    with_parsers(a_parser(raises(KeyError("status"))))

    outcome = registry.read(MAIL)

    assert isinstance(outcome, Unreadable)
    assert (outcome.software, outcome.reason) == ("Oak", "the parser crashed")


def test_recognition_that_crashes_does_not_blind_the_others(with_parsers: Callable[..., None]) -> None:
    crashes = a_parser(lambda _: a_reading(), name="ash.backup", recognises=lambda mail: bool(1 // len(mail.text)))
    with_parsers(crashes, a_parser(lambda _: a_reading()))

    assert isinstance(registry.read(MAIL), Parsed)


def test_an_unreadable_mail_keeps_what_it_does_say(with_parsers: Callable[..., None]) -> None:
    with_parsers(a_parser(raises(UnreadableMail("no status", job_name="Nightly", origin="OAK"))))

    outcome = registry.read(MAIL)

    assert outcome == Unreadable(
        parser="oak.backup", reason="no status", software="Oak", backup_type="Backup", job_name="Nightly", origin="OAK"
    )


def test_a_parser_that_reports_nothing_has_read_nothing(with_parsers: Callable[..., None]) -> None:
    with_parsers(a_parser(lambda _: ()))

    assert isinstance(registry.read(MAIL), Unreadable)


@pytest.mark.parametrize("status", [Status.SUCCESS, Status.INFORMATIONAL])
def test_a_mail_that_is_not_whole_proves_no_success(with_parsers: Callable[..., None], status: Status) -> None:
    with_parsers(a_parser(lambda _: a_reading(status=status)))

    assert isinstance(registry.read(Mail(from_address="a@oak.example", truncated=True)), Unreadable)


def test_a_mail_that_is_not_whole_still_proves_trouble(with_parsers: Callable[..., None]) -> None:
    with_parsers(a_parser(lambda _: a_reading(status=Status.FAILED)))

    assert worst_of(registry.read(Mail(from_address="a@oak.example", truncated=True))).status is Status.FAILED


def test_a_reading_is_no_better_than_its_worst_object(with_parsers: Callable[..., None]) -> None:
    objects = (
        ObjectResult(name="a", type="VM", status=Status.SUCCESS),
        ObjectResult(name="b", type="VM", status=Status.FAILED),
        ObjectResult(name="c", type="VM", status=Status.FAILED, recovered=True),
    )
    with_parsers(a_parser(lambda _: a_reading(objects=objects)))

    assert worst_of(registry.read(MAIL)).status is Status.FAILED


def test_an_object_that_recovered_pulls_nothing_down(with_parsers: Callable[..., None]) -> None:
    recovered = ObjectResult(name="c", type="VM", status=Status.FAILED, recovered=True)
    with_parsers(a_parser(lambda _: a_reading(objects=(recovered,))))

    assert worst_of(registry.read(MAIL)).status is Status.SUCCESS


def test_what_no_column_takes_is_left_out(with_parsers: Callable[..., None]) -> None:
    odd = a_reading(
        job_name="Ni\0ghtly\ud800",
        message="x\0" + "y" * 10_000,
        size_bytes=2**70,
        started_at=datetime(1, 1, 1, tzinfo=UTC),
        objects=(ObjectResult(name="S\0RV" + "x" * 600, type="V\0M", status=Status.SUCCESS),),
    )
    with_parsers(a_parser(lambda _: odd))

    reading = worst_of(registry.read(MAIL))

    assert (reading.job_name, reading.size_bytes, reading.started_at) == ("Nightly", None, None)
    assert (len(reading.message), reading.message[:2]) == (MAX_MESSAGE, "xy")
    assert (reading.objects[0].name[:4], len(reading.objects[0].name), reading.objects[0].type) == ("SRVx", 500, "VM")


@pytest.mark.parametrize("fact", ["job_name", "origin"])
@pytest.mark.parametrize("name", ["x" * (MAX_NAME + 1), "\0"])
def test_a_name_that_is_none_makes_the_mail_unreadable(with_parsers: Callable[..., None], fact: str, name: str) -> None:
    """Cut to size, two names that begin alike would become one job."""
    with_parsers(a_parser(lambda _: a_reading(**{fact: name})))

    assert isinstance(registry.read(MAIL), Unreadable)


def test_the_real_parsers_have_names_of_their_own() -> None:
    names = [parser.name for parser in registry.all_parsers()]

    assert names == sorted(set(names))
    assert all("." in name for name in names)
