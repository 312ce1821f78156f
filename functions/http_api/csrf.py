"""Proof that a state-changing request comes from one of our own pages.

Two checks, both needed: where the browser says the request comes from, and a token that only our pages know. The
token belongs to the session; before there is one, it is derived from a cookie that the sign-in page sets. Pages carry
it masked, anew in each response: the size of compressed pages would give away what stands in all of them (BREACH).
"""

import base64
import hashlib
import hmac
import secrets
from functools import cache
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from shared.services.errors import NotAllowed
from shared.settings import settings

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class ForgedRequest(NotAllowed):
    """The request does not prove that it comes from our page."""


async def _submitted_token(request: Request) -> str:
    if request.method in SAFE_METHODS:
        return ""
    if token := request.headers.get(HEADER):
        return token
    if not request.headers.get("content-type", "").startswith(_FORMS):
        return ""
    field = (await request.form()).get(FIELD)
    return field if isinstance(field, str) else ""


SubmittedToken = Annotated[str, Depends(_submitted_token)]


def check_request(request: Request, submitted: str, expected: str) -> None:
    """Raise ForgedRequest unless a state-changing request comes from our page, with its token."""
    if request.method in SAFE_METHODS:
        return
    if not _comes_from_us(request):
        raise ForgedRequest("This request came from another site, so nothing was done.")
    if not expected or not hmac.compare_digest(_unmasked(submitted), expected.encode()):
        raise ForgedRequest("This page is too old, or was opened before you signed in. Reload it and try again.")


def masked(token: str) -> str:
    """Return the token as a page may carry it: a random mask, and the token under that mask."""
    mask = secrets.token_bytes(len(token))
    return base64.urlsafe_b64encode(mask + _under(mask, token.encode())).decode()


def new_login_secret() -> str:
    return secrets.token_urlsafe(24)


def login_token(secret: str) -> str:
    """Return the form field that belongs to the sign-in cookie `secret`; nobody else can compute it."""
    return hmac.new(_key(), b"login:" + secret.encode(), hashlib.sha256).hexdigest() if secret else ""


def _unmasked(submitted: str) -> bytes:
    """Return the token below its mask; of what is no masked token, nothing."""
    try:
        both = base64.b64decode(submitted.encode(), altchars=b"-_", validate=True)
    except ValueError:
        return b""
    half = len(both) // 2
    return _under(both[:half], both[half:])


def _under(mask: bytes, text: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(mask, text, strict=False))


def _comes_from_us(request: Request) -> bool:
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    ours = {request.headers.get("host", ""), urlsplit(settings().public_url).netloc}
    return urlsplit(origin).netloc in ours - {""}


@cache
def _key() -> bytes:
    # Without a key (never in production) forms that were open during a restart have to be reloaded.
    return settings().secret_key.encode() or secrets.token_bytes(32)
