"""Cookies: opaque, URL-safe values only, because the platform re-encodes anything else."""

from fastapi import Request, Response

from shared.settings import settings

SESSION = "bc_session"
LOGIN = "bc_login"
TOAST = "bc_toast"


def is_secure(request: Request) -> bool:
    """Tell whether cookies get `__Host-` and `Secure`; on plain HTTP of a test machine browsers would drop them."""
    return settings().is_production or request.url.scheme == "https"


def cookie_name(request: Request, name: str) -> str:
    return f"__Host-{name}" if is_secure(request) else name


def read_cookie(request: Request, name: str) -> str:
    return request.cookies.get(cookie_name(request, name), "")


def put_cookie(request: Request, response: Response, name: str, value: str, *, max_age: int) -> None:
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=max_age,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="lax",
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    response.delete_cookie(
        cookie_name(request, name), path="/", secure=is_secure(request), httponly=True, samesite="lax"
    )
