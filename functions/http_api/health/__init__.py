"""For the platform's probes. `/health` asks nothing of anybody; `/health/ready` says whether work can be done."""

import logging
from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Connection, text

from shared.db import migrate
from shared.db.session import engine

log = logging.getLogger(__name__)

router = APIRouter(tags=["health"])


@router.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/health/ready")
def ready(request: Request) -> JSONResponse:
    """Compare what there must be with what there is; details are words, never names or addresses."""
    checks = _checks()
    good = all(state == "ok" for state in checks.values())
    return JSONResponse({"status": "ok" if good else "failing", "checks": checks}, 200 if good else 503)


def _checks() -> dict[str, str]:
    try:
        with engine().connect() as connection:
            return {name: check(connection) for name, check in CHECKS.items()}
    except Exception:  # whatever it is, the probe gets an answer
        log.exception("the database cannot be reached")
        return {"database": "cannot be reached"}


def _database(connection: Connection) -> str:
    connection.execute(text("SELECT 1"))
    return "ok"


def _schema(connection: Connection) -> str:
    if migrate.current_revision(connection) == migrate.expected_revision():
        return "ok"
    return "not at the revision that this code needs: run `python -m shared.cli migrate`"


CHECKS: dict[str, Callable[[Connection], str]] = {"database": _database, "schema": _schema}
