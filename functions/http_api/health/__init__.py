"""For the platform's probes. `/health` asks nothing of anybody; `/health/ready` says whether work can be done."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from functions.http_api.health.checks import Grade, looked_at
from shared import clock

router = APIRouter(tags=["health"])


@router.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/health/ready")
def ready(request: Request) -> JSONResponse:
    """Compare what there must be with what there is.

    Details are words and times, never names or addresses, because anybody may ask. 503 only where work stands still.
    """
    found = looked_at(clock.now())
    worst = max((check.grade for check in found.values()), default=Grade.OK)
    checks = {name: check.says for name, check in found.items()}
    return JSONResponse({"status": worst.name.lower(), "checks": checks}, 503 if worst is Grade.FAILING else 200)
