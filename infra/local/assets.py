"""Puts the front-end libraries where the web app serves them, and writes the manifest of all assets.

`functions/http_api/static/vendor/manifest.json` maps each logical name to the one that a page links:

    "vendor/bootstrap.min.css": "vendor/bootstrap.min.3f9a01c2b7.css"   a copy, named after its content
    "app.css":                  "app.css?v=8d21f0aa43"                  our own file, where it is

Both change with the content, so browsers may keep them for ever. Libraries are copied anyway, so the hash goes into
the name, which every cache understands; our own files stay as they are, so an edit needs no build to be served.

Of the 2,000 icons (1.1 MB) only those are kept whose name stands in quotes, or after a `#`, somewhere in
`functions/http_api`; an icon name must therefore never be put together from parts.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "functions" / "http_api"
NODE_MODULES = ROOT / "node_modules"

LIBRARIES = (
    "bootstrap/dist/css/bootstrap.min.css",
    "bootstrap/dist/js/bootstrap.bundle.min.js",
    "htmx.org/dist/htmx.min.js",
)
ICONS = "bootstrap-icons/bootstrap-icons.svg"
ICON = re.compile(r'<symbol\b[^>]*\bid="(?P<name>[a-z0-9-]+)">.*?</symbol>', re.DOTALL)
NAMED = re.compile(r"""["'#](?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)(?=["'])""")
NAMING_KINDS = frozenset({".html", ".js", ".py"})
OWN_KINDS = frozenset({".css", ".js", ".svg", ".png", ".ico", ".woff2", ".webmanifest"})


def build(*, pages: Path = PAGES, node_modules: Path = NODE_MODULES) -> dict[str, str]:
    """Bring `static/vendor` up to date and return the manifest. Quick when there is nothing to do."""
    static = pages / "static"
    vendor = static / "vendor"
    vendor.mkdir(parents=True, exist_ok=True)
    files = {Path(name).name: _without_source_map((node_modules / name).read_bytes()) for name in LIBRARIES}
    files[Path(ICONS).name] = _icons_in_use((node_modules / ICONS).read_text(), pages).encode()
    manifest = _copied(files, vendor) | _own_names(static)
    _write_if_changed(vendor / "manifest.json", json.dumps(manifest, indent=2, sort_keys=True).encode() + b"\n")
    _remove_all_but({static / name for name in manifest.values()} | {vendor / "manifest.json"}, vendor)
    return manifest


def _copied(files: dict[str, bytes], vendor: Path) -> dict[str, str]:
    names = {}
    for name, content in files.items():
        hashed = f"{Path(name).stem}.{_digest(content)}{Path(name).suffix}"
        _write_if_changed(vendor / hashed, content)
        names[f"vendor/{name}"] = f"vendor/{hashed}"
    return names


def _icons_in_use(sprite: str, pages: Path) -> str:
    sources = [
        path for path in sorted(pages.rglob("*")) if path.suffix in NAMING_KINDS and path.parent.name != "vendor"
    ]
    named = {match["name"] for path in sources for match in NAMED.finditer(path.read_text(encoding="utf-8"))}
    icons = [icon[0] for icon in ICON.finditer(sprite) if icon["name"] in named]
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *icons, "</svg>\n"])


def _own_names(static: Path) -> dict[str, str]:
    names = {}
    for path in sorted(static.rglob("*")):
        name = path.relative_to(static).as_posix()
        if path.suffix in OWN_KINDS and not name.startswith("vendor/"):
            names[name] = f"{name}?v={_digest(path.read_bytes())}"
    return names


def _without_source_map(content: bytes) -> bytes:
    # A browser with its tools open would ask for a map that is not there.
    lines = content.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith((b"//# sourceMappingURL=", b"/*# sourceMappingURL=")))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:10]


def _write_if_changed(path: Path, content: bytes) -> None:
    if path.exists() and path.read_bytes() == content:
        return
    # Two builds at once, or a server that reads, never see half a file.
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)


def _remove_all_but(wanted: set[Path], vendor: Path) -> None:
    for path in vendor.iterdir():
        if path not in wanted and not path.name.startswith("."):  # those are being written
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        build()
    except FileNotFoundError as missing:
        sys.exit(f"{missing.filename} is missing: run `npm ci` first")
