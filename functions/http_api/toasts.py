"""A short message on the next page, with Undo where something can be undone. It travels in a cookie of its own."""

import base64
import binascii
import json
from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from functions.http_api.client import safe_next
from functions.http_api.cookies import TOAST, put_cookie, read_cookie

LONGEST = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Toast:
    """What was done. `undo` is a path of ours that takes a POST and takes it back."""

    text: str
    undo: str = ""


def redirect(request: Request, path: str, *, toast: str = "", undo: str = "", status_code: int = 303) -> Response:
    """Go to a page of ours after a form was dealt with; the next page shows `toast`."""
    response = RedirectResponse(safe_next(path), status_code=status_code)
    if toast:
        facts = json.dumps({"text": toast[:LONGEST], "undo": undo})
        # Without padding: the platform would percent-encode it.
        value = base64.urlsafe_b64encode(facts.encode()).decode().rstrip("=")
        put_cookie(request, response, TOAST, value, max_age=60)
    return response


def waiting_toast(request: Request) -> Toast | None:
    value = read_cookie(request, TOAST)
    if not value:
        return None
    try:
        facts = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
        text, undo = str(facts["text"]), str(facts["undo"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None
    return Toast(text=text, undo=safe_next(undo) if undo else "")
