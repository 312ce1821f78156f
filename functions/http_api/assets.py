"""Static files and their names. A name that changes with the content may be kept for ever."""

import hashlib
import json
import mimetypes
import re
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from shared.settings import settings

FOLDER = Path(__file__).parent / "static"
MANIFEST = FOLDER / "vendor" / "manifest.json"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_EVERY_TIME = "no-cache"

router = APIRouter()
_files = StaticFiles(directory=FOLDER)
_HASHED_NAME = re.compile(r"vendor/[^/]*\.[0-9a-f]{10}\.[a-z0-9]+")

# Slim images carry no list of types, and nosniff makes a browser refuse a wrong one.
for _suffix, _type in {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}.items():
    mimetypes.add_type(_type, _suffix)


def asset(name: str) -> str:
    """Return the address of a static file, named after its content where a manifest was built."""
    return "/static/" + _manifest(_changed_at(MANIFEST)).get(name, name)


@router.get("/static/{path:path}", include_in_schema=False)
async def static_file(path: str, request: Request) -> Response:
    scope: Scope = dict(request.scope)
    # Refuses what lies outside the folder, and answers conditional requests.
    response = await _files.get_response(path, scope)
    response.headers["Cache-Control"] = FOR_EVER if _never_changes(path, request) else ASK_EVERY_TIME
    return response


@cache
def _manifest(changed_at: int) -> dict[str, str]:
    names: dict[str, str] = json.loads(MANIFEST.read_text()) if changed_at else {}
    if settings().is_production:
        return names
    # While somebody edits them, our own files are asked for every time: the manifest may be older.
    return {name: address for name, address in names.items() if name.startswith("vendor/")}


def _changed_at(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def _never_changes(path: str, request: Request) -> bool:
    if _HASHED_NAME.fullmatch(path):
        return True
    version = request.query_params.get("v")
    return version is not None and version == _digest(path)


def _digest(path: str) -> str:
    file = (FOLDER / path).resolve()
    if not file.is_relative_to(FOLDER.resolve()) or not file.is_file():
        return ""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]
