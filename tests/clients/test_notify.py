"""What leaves the house: to whom, how often, and what no error tells."""

import logging
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests.adapters
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.clients import notify
from shared.clients.errors import Refused, Throttled, Unavailable, Upstream
from shared.clients.notify import Notifier
from shared.clients.public_host import is_public, read_place
from tests.receiver import Answer, Receiver, receiving

SECRET = "hush"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def notifier() -> Notifier:
    return Notifier(production=False)


def nobody(host: str, port: int) -> list[str]:
    raise AssertionError(f"asked for {host}")


def said_by(call: Callable[[], None]) -> Upstream:
    with pytest.raises(Upstream) as caught:
        call()
    return caught.value


def test_json_goes_out_with_its_key(receiver: Receiver, notifier: Notifier) -> None:
    notifier.post(receiver.url("/hook?sig=hush"), {"message": "Ünread"}, key="alarm-1-opened")

    [received] = receiver.received
    assert (received.method, received.path, received.json) == ("POST", "/hook?sig=hush", {"message": "Ünread"})
    assert received.headers["Idempotency-Key"] == "alarm-1-opened"
    assert received.headers["Host"] == receiver.address.removeprefix("http://")


def test_a_ping_asks_without_a_body(receiver: Receiver, notifier: Notifier) -> None:
    notifier.ping(receiver.url("/ping"))

    assert [(each.method, each.path, each.text) for each in receiver.received] == [("GET", "/ping", "")]


@pytest.mark.parametrize(
    "answer, kind, sentence",
    [
        (Answer(500), Unavailable, "It answered with status 500."),
        (Answer(408), Unavailable, "It answered with status 408."),
        (Answer(429), Throttled, "It wants us to wait (429)."),
        (Answer(404), Refused, "It does not take messages: status 404."),
        (Answer(raw=b"no HTTP at all"), Unavailable, "No connection, or it broke off."),
        (Answer(raw=b""), Unavailable, "No connection, or it broke off."),
    ],
)
def test_what_was_not_taken_says_why_and_whether_it_may_be_later(
    receiver: Receiver, notifier: Notifier, answer: Answer, kind: type[Upstream], sentence: str
) -> None:
    receiver.answers = [answer]

    problem = said_by(lambda: notifier.ping(receiver.url()))

    assert (type(problem), str(problem)) == (kind, sentence)


@pytest.mark.parametrize(
    "header, pause",
    [
        ("120", timedelta(minutes=2)),
        ("999999", timedelta(hours=1)),
        ("Tue, 03 Mar 2026 07:00:00 GMT", None),
        ("", None),
    ],
)
def test_a_wait_that_is_asked_for_is_passed_on(
    receiver: Receiver, notifier: Notifier, header: str, pause: timedelta | None
) -> None:
    receiver.answers = [Answer(429, {"Retry-After": header})]

    problem = said_by(lambda: notifier.ping(receiver.url()))

    assert isinstance(problem, Throttled)
    assert problem.retry_after == pause


def test_a_redirect_is_not_followed(receiver: Receiver, notifier: Notifier) -> None:
    receiver.answers = [Answer(307, {"Location": receiver.url("/elsewhere")})]

    problem = said_by(lambda: notifier.post(receiver.url(), {}, key="k"))

    assert str(problem) == "It answered with a redirect (307), which is not followed."
    assert len(receiver.received) == 1


def test_one_that_hangs_is_given_up_for_now(
    receiver: Receiver, notifier: Notifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "TIMEOUT", (0.2, 0.2))
    hold = threading.Event()
    receiver.answers = [Answer(hold=hold)]

    problem = said_by(lambda: notifier.ping(receiver.url()))
    hold.set()

    assert (type(problem), str(problem)) == (Unavailable, "It did not answer in time.")


def test_nobody_there_is_unavailable(notifier: Notifier) -> None:
    with receiving() as gone:
        address = gone.url()

    assert isinstance(said_by(lambda: notifier.ping(address)), Unavailable)


def test_no_error_and_no_log_tells_the_address(
    receiver: Receiver, notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.answers = [Answer(500), Answer(302), Answer(raw=b"?"), Answer(429)]
    with receiving() as gone:
        dead = gone.url()

    problems = [said_by(lambda at=at: notifier.ping(at)) for at in [*[receiver.url()] * 4, dead, "ftp://x/hush"]]

    for problem in problems:
        told = f"{problem} {problem!r} {problem.__cause__!r} {problem.__suppress_context__}"
        assert SECRET not in told
        assert receiver.address not in told
        assert problem.__cause__ is None
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "ip",
    "10.0.0.1 172.16.9.9 192.168.1.1 127.0.0.1 169.254.169.254 168.63.129.16 100.64.0.1 0.0.0.0 224.0.0.1 "
    "255.255.255.255 ::1 :: fe80::1 fd00::1 ff02::1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe "
    "2002:a9fe:a9fe::1 ::10.0.0.1".split(),
)
def test_our_own_network_is_not_the_internet(ip: str) -> None:
    assert not is_public(ip)

    notifier = Notifier(production=True, resolve=lambda host, port: ["93.184.215.14", ip])

    problem = said_by(lambda: notifier.ping("https://hooks.oak.example/hush"))
    assert str(problem) == "Its host is in a private or reserved network, where no alarms are sent."
    assert isinstance(problem, Refused)


@pytest.mark.parametrize("ip", ["93.184.215.14", "2606:4700::6810:84e5", "::ffff:93.184.215.14"])
def test_the_internet_is(ip: str) -> None:
    assert is_public(ip)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hooks.oak.example/x",
        "http://hooks.oak.example/x",
        "http://127.0.0.1/x",
        "http://localhost/x",
        "https://localhost/x",
        "https://localhost./x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/metadata",
        "https://user:word@hooks.oak.example/x",
        "https://hooks.oak.example:99999/x",
        "https://[not-an-ip]/x",
        "https:///x",
        "https://hooks.oak.example/a b",
        "https://hooks.oak.example\\@127.0.0.1/x",
        "https://hooks.oak.example/\r\nHost: else",
        "https://höoks.example/x",
        "file:///etc/passwd",
        "https://hooks.oak.example/" + "x" * 2000,
    ],
)
def test_production_takes_only_https_addresses_of_the_internet(address: str) -> None:
    notifier = Notifier(production=True, resolve=nobody)

    problem = said_by(lambda: notifier.ping(address))

    assert isinstance(problem, Refused)
    assert address == "" or address not in str(problem)


def test_numbers_that_stand_for_our_network_are_seen_through() -> None:
    """`getaddrinfo` reads them as addresses; the check comes after it."""
    for host in ("2130706433", "0x7f.1", "127.1", "0"):
        problem = said_by(lambda host=host: Notifier(production=True).ping(f"https://{host}/x"))
        assert isinstance(problem, Refused | Unavailable)
        assert "network" in str(problem) or "not known" in str(problem)


def test_outside_production_plain_http_goes_to_this_machine_alone() -> None:
    assert read_place("http://localhost:8080/x", production=False).port == 8080

    with pytest.raises(Refused):
        read_place("http://hooks.oak.example/x", production=False)


def test_a_name_that_nobody_knows_may_be_known_later() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError

    for resolve in (unknown, lambda host, port: []):
        problem = said_by(lambda r=resolve: Notifier(production=True, resolve=r).ping("https://hooks.oak.example/x"))
        assert (str(problem), problem.retryable) == ("Its host name is not known.", True)


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver with a certificate for alarms.oak.example that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "alarms.oak.example")])
    names = x509.SubjectAlternativeName([x509.DNSName("alarms.oak.example"), x509.IPAddress(ip_address("127.0.0.9"))])
    year = timedelta(days=3650)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + 10 * year)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "pair.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    def wrap(server: object) -> None:
        server.socket = context.wrap_socket(server.socket, server_side=True)  # type: ignore[attr-defined]

    with receiving(wrap) as found:
        yield found


def test_the_connection_goes_to_the_ip_that_was_checked_and_expects_the_name_there(secure: Receiver) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    port = secure.address.rpartition(":")[2]
    Notifier(production=False, resolve=resolve).ping(f"https://alarms.oak.example:{port}/ping")

    assert asked == ["alarms.oak.example"]
    assert secure.received[0].headers["Host"] == f"alarms.oak.example:{port}"


def test_a_certificate_of_another_name_is_not_believed(secure: Receiver) -> None:
    port = secure.address.rpartition(":")[2]
    notifier = Notifier(production=False, resolve=lambda host, port: ["127.0.0.1"])

    problem = said_by(lambda: notifier.ping(f"https://elm.example:{port}/ping"))

    assert str(problem) == "No secure connection: its certificate is not valid for its name."
    assert secure.received == []
