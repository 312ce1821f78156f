import csv
import io
import re
from datetime import date
from html import unescape

import pytest
from httpx import Response
from sqlalchemy import select

from shared.db.session import transaction
from shared.models.audit import AuditEntry
from shared.models.customers import Customer
from tests.http_api.client import Browser
from tests.http_api.lists import make_customer, text_of


def show(browser: Browser, content: str | bytes) -> Response:
    raw = content.encode() if isinstance(content, str) else content
    return browser.post("/customers/import", files={"file": ("customers.csv", raw, "text/csv")})


def confirm(browser: Browser, preview: Response) -> Response:
    hidden = re.search(r'name="content" value="([^"]*)"', preview.text)
    assert hidden is not None
    return browser.post("/customers/import/confirm", data={"content": unescape(hidden[1])})


def stored() -> dict[str, tuple[bool, str | None, str]]:
    with transaction() as db:
        return {each.name: (each.active, each.time_zone, each.note) for each in db.scalars(select(Customer))}


def test_the_preview_says_what_each_line_does_and_changes_nothing(operator: Browser) -> None:
    make_customer("Oak")
    make_customer("Elm")

    page = show(operator, "name,active\nOak,no\nElm,yes\nAsh,yes\n,yes\nash,no\n")

    seen = text_of(page.text)
    assert "1 to add · 1 to change · 1 stay as they are · 2 lines with errors" in seen
    assert "2 Oak becomes inactive" in seen
    assert "4 Ash New" in seen
    assert "5 – Left out: the name is missing" in seen
    assert "6 ash Left out: the name stands on line 4 already" in seen
    assert set(stored()) == {"Oak", "Elm"}


def test_what_was_confirmed_is_what_was_shown(operator: Browser) -> None:
    make_customer("Oak")

    answer = confirm(operator, show(operator, "name;active;note\nOak;nee;\n“Ash”;ja;tapes\n;ja;\n"))

    assert stored() == {"Oak": (False, None, ""), "“Ash”": (True, None, "tapes")}
    assert "Imported: 1 added, 1 changed, 0 left as they are. 1 line with errors left out." in text_of(
        operator.get(answer.headers["location"]).text
    )
    with transaction() as db:
        assert "customers.imported" in list(db.scalars(select(AuditEntry.action)))


def test_confirming_twice_imports_once(operator: Browser) -> None:
    preview = show(operator, "name\nOak\n")

    confirm(operator, preview)
    confirm(operator, preview)

    assert list(stored()) == ["Oak"]


def test_a_file_of_names_alone_wakes_no_inactive_customer(operator: Browser) -> None:
    make_customer("Oak", active=False, note="left in May", time_zone="Europe/London")

    preview = show(operator, "name\nOak\n")

    assert "Nothing to import" in text_of(preview.text)
    assert 'name="content"' not in preview.text


HOSTILE = ["=1+1", "+31 20", "-", "@home", "'=x", "'s-Hertogenbosch", 'Quote "it", then', "semi;colon", "Ünïcode ✓"]


def test_an_export_that_is_imported_again_changes_nothing(operator: Browser) -> None:
    for name in HOSTILE:
        make_customer(name, note=f"{name}\r\nsecond line", active="x" not in name, time_zone="Europe/Paris")
    before = stored()

    exported = operator.get("/customers/export.csv").content
    preview = show(operator, exported)

    assert f"0 to add · 0 to change · {len(HOSTILE)} stay as they are" in text_of(preview.text)
    assert stored() == before


def test_no_cell_of_the_export_is_a_formula(operator: Browser) -> None:
    for name in HOSTILE:
        make_customer(name, note=name)

    answer = operator.get("/customers/export.csv")

    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="customers-')
    cells = [cell for row in csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"", "Choose a CSV file"),
        (b"name\n", "Choose a CSV file"),
        (b"customer\nOak\n", "The first line must name the columns"),
        ("name\nCaf\xe9\n".encode("latin-1"), "isn't UTF-8"),
        (b"name\n" + b"x" * 2_000_000, "larger than 2 MB"),
    ],
)
def test_a_file_that_is_no_list_of_customers_is_refused_in_words(
    operator: Browser, content: bytes, sentence: str
) -> None:
    answer = show(operator, content)

    assert (answer.status_code, sentence in text_of(answer.text)) == (422, True)


def test_without_a_file_one_is_asked_for(operator: Browser) -> None:
    assert operator.post("/customers/import").status_code == 422


def test_a_time_zone_that_is_none_is_an_error_of_its_line(operator: Browser) -> None:
    page = show(operator, "name,time_zone\nOak,Mars/Base\nElm,Europe/Paris\n")
    confirm(operator, page)

    assert "“Mars/Base” is no time zone" in text_of(page.text)
    assert stored() == {"Elm": (True, "Europe/Paris", "")}


def test_a_go_live_date_is_read_and_one_that_is_none_is_an_error_of_its_line(operator: Browser) -> None:
    make_customer("Oak")

    page = show(operator, "name,go_live_on\nOak,2026-03-01\nElm,2026-04-01\nAsh,01-03-2026\nYew,2999-01-01\n")
    confirm(operator, page)

    seen = text_of(page.text)
    assert "2 Oak go-live date 2026-03-01" in seen
    assert "“01-03-2026” is no go-live date" in seen
    assert "“2999-01-01” is no go-live date" in seen
    assert "2026-03-01" in operator.get("/customers/export.csv").text
    with transaction() as db:
        days = {each.name: each.go_live_on for each in db.scalars(select(Customer))}
    assert days == {"Oak": date(2026, 3, 1), "Elm": date(2026, 4, 1)}


def test_a_list_without_the_column_leaves_go_live_dates_alone_and_an_empty_one_removes_them(operator: Browser) -> None:
    confirm(operator, show(operator, "name,go_live_on\nOak,2026-03-01\n"))

    assert "Nothing to import" in text_of(show(operator, "name\nOak\n").text)
    assert "2 Oak go-live date removed" in text_of(show(operator, "name,go_live_on\nOak,\n").text)


def test_a_long_file_is_imported_whole_though_not_all_is_listed(operator: Browser) -> None:
    preview = show(operator, "name\n" + "".join(f"Customer {number}\n" for number in range(600)))

    assert "100 more lines are not listed here" in text_of(preview.text)
    confirm(operator, preview)
    assert len(stored()) == 600


def test_a_confirmation_that_lost_the_file_is_refused(operator: Browser) -> None:
    assert operator.post("/customers/import/confirm", data={"content": "abc"}).status_code == 422
    assert operator.post("/customers/import/confirm").status_code == 422
