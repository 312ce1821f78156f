import json
from pathlib import Path

import pytest

from infra.local import assets

SPRITE = '<svg><symbol viewBox="0 0 1 1" id="check"><path/></symbol><symbol id="alarm"><path/></symbol></svg>'


@pytest.fixture
def node_modules(tmp_path: Path) -> Path:
    for name in assets.LIBRARIES:
        path = tmp_path / "node_modules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}\n//# sourceMappingURL=gone.map\n")
    icons = tmp_path / "node_modules" / assets.ICONS
    icons.parent.mkdir(parents=True)
    icons.write_text(SPRITE)
    return tmp_path / "node_modules"


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    (tmp_path / "pages" / "static").mkdir(parents=True)
    (tmp_path / "pages" / "static" / "app.css").write_text("body {}")
    (tmp_path / "pages" / "list.html").write_text('<use href="{{ icons }}#check"/>')
    return tmp_path / "pages"


def test_every_name_in_the_manifest_leads_to_a_file(pages: Path, node_modules: Path) -> None:
    manifest = assets.build(pages=pages, node_modules=node_modules)

    assert json.loads((pages / "static" / "vendor" / "manifest.json").read_text()) == manifest
    assert len(manifest) == len(assets.LIBRARIES) + 2
    assert all((pages / "static" / name.split("?")[0]).is_file() for name in manifest.values())


def test_a_changed_file_gets_another_name_and_the_old_one_goes(pages: Path, node_modules: Path) -> None:
    before = assets.build(pages=pages, node_modules=node_modules)

    (pages / "static" / "app.css").write_text("body { color: red }")
    (node_modules / assets.LIBRARIES[0]).write_text("newer")
    after = assets.build(pages=pages, node_modules=node_modules)

    assert {name for name in before if before[name] != after[name]} == {"app.css", "vendor/bootstrap.min.css"}
    assert not (pages / "static" / before["vendor/bootstrap.min.css"]).exists()


def test_a_second_build_writes_nothing(pages: Path, node_modules: Path) -> None:
    assets.build(pages=pages, node_modules=node_modules)
    vendor = pages / "static" / "vendor"
    before = {path: path.stat().st_ino for path in vendor.iterdir()}

    assets.build(pages=pages, node_modules=node_modules)

    assert {path: path.stat().st_ino for path in vendor.iterdir()} == before


def test_only_icons_in_use_are_served(pages: Path, node_modules: Path) -> None:
    manifest = assets.build(pages=pages, node_modules=node_modules)

    sprite = (pages / "static" / manifest["vendor/bootstrap-icons.svg"]).read_text()
    assert 'id="check"' in sprite
    assert 'id="alarm"' not in sprite


def test_libraries_ask_for_no_source_map(pages: Path, node_modules: Path) -> None:
    manifest = assets.build(pages=pages, node_modules=node_modules)

    assert "sourceMappingURL" not in (pages / "static" / manifest["vendor/htmx.min.js"]).read_text()
