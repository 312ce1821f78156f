import pytest
from fastapi import Request

from functions.http_api.client import client_address, safe_next
from functions.http_api.toasts import Toast, redirect, waiting_toast
from shared.settings import settings


def request(*, forwarded: str = "", peer: str | None = None, cookie: str = "") -> Request:
    headers = [(b"x-forwarded-for", forwarded.encode()), (b"cookie", cookie.encode())]
    client = None if peer is None else (peer, 1234)
    return Request(
        {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": "/",
            "headers": headers,
            "client": client,
            "server": ("localhost", 80),
            "query_string": b"",
        }
    )


@pytest.mark.parametrize(
    "forwarded, peer, proxies, address",
    [
        # The platform's adapter names no peer; its front end adds the last entry.
        ("203.0.113.9:52111", None, 0, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9:52111", None, 0, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 198.51.100.1:443", None, 1, "203.0.113.9"),
        ("[2001:db8::1]:443", None, 0, "2001:db8::1"),
        ("2001:db8::1", None, 0, "2001:db8::1"),
        # A server of our own knows its peer, and what a client claims counts for nothing.
        ("6.6.6.6", "203.0.113.9", 0, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "127.0.0.1", 1, "203.0.113.9"),
        ("", "203.0.113.9", 2, "203.0.113.9"),
        ("<script>", None, 0, "unknown"),
        ("", None, 0, ""),
    ],
)  # fmt: skip
def test_the_address_is_what_the_outermost_trusted_hop_saw(
    monkeypatch: pytest.MonkeyPatch, forwarded: str, peer: str | None, proxies: int, address: str
) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", str(proxies))
    settings.cache_clear()

    assert client_address(request(forwarded=forwarded, peer=peer)) == address


@pytest.mark.parametrize("target", ["/jobs", "/jobs?q=a%20b&page=2", "/"])
def test_a_path_of_ours_is_kept(target: str) -> None:
    assert safe_next(target) == target


def test_a_toast_survives_the_way_through_its_cookie() -> None:
    answer = redirect(request(), "/jobs", toast='Reviewed 3 runs of "Café".', undo="/reviews/7/undo")

    name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
    assert value.replace("-", "").replace("_", "").isalnum()
    assert waiting_toast(request(cookie=f"{name}={value}")) == Toast(
        text='Reviewed 3 runs of "Café".', undo="/reviews/7/undo"
    )


@pytest.mark.parametrize("value", ["x", "bnVsbA", "W10", "eyJ0ZXh0IjoxfQ", "é"])
def test_a_damaged_toast_is_no_toast(value: str) -> None:
    assert waiting_toast(request(cookie=f"bc_toast={value}")) is None
