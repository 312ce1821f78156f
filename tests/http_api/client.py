"""A browser for tests: it keeps cookies, follows no redirect by itself, and proves where its forms come from."""

import warnings

from fastapi import FastAPI
from sqlalchemy import select

from functions.http_api.cookies import SESSION
from functions.http_api.csrf import HEADER, masked
from shared import clock
from shared.db.session import transaction
from shared.domain.permissions import Role
from shared.models.users import User
from shared.services.sessions import find_session, open_session
from shared.services.users import create_user

with warnings.catch_warnings():
    # It wants the successor of httpx, which has no release that we could pin.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

PASSWORD = "three unrelated words"


class Browser(TestClient):
    """Signed in after `open_session_of`; then every request carries the CSRF token, as htmx does."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(app, base_url="http://localhost", follow_redirects=False)

    def open_session_of(self, username: str) -> "Browser":
        with transaction() as db:
            user = db.scalars(select(User).where(User.username == username)).one()
            token = open_session(db, user, address="127.0.0.1", now=clock.now())
            db.flush()
            session = find_session(db, token, now=clock.now())
        assert session is not None
        self.cookies.set(SESSION, token, domain="localhost.local", path="/")
        self.headers[HEADER] = masked(session.csrf_token)
        return self


def make_user(username: str, *roles: Role, password: str | None = None) -> int:
    """Commit a user and return his id. Without a password he is made faster, and signs in only by `open_session_of`."""
    with transaction() as db:
        return create_user(db, username, password, roles or (Role.OPERATOR,), now=clock.now()).id
