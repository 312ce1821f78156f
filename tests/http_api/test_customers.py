import re

import pytest
from sqlalchemy import select

from functions.http_api.csrf import HEADER
from shared.db.session import transaction
from shared.models.audit import AuditEntry
from shared.models.customers import Customer
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, make_customer, make_job, rows, text_of


def stored(name: str) -> Customer | None:
    with transaction() as db:
        return db.scalar(select(Customer).where(Customer.name == name))


def names(browser: Browser, address: str) -> list[str]:
    return re.findall(r"data-open>([^<]+)</a></td>", browser.get(address).text)


def test_an_empty_list_says_what_to_do(operator: Browser, viewer: Browser) -> None:
    assert "There are no customers yet." in text_of(operator.get("/customers").text)
    assert "Import a CSV file" in operator.get("/customers").text
    assert "Import a CSV file" not in viewer.get("/customers").text


def test_a_name_leads_to_the_jobs_and_no_jobs_are_red(viewer: Browser) -> None:
    oak, elm = make_customer("Oak"), make_customer("Elm")
    make_job("Nightly", oak)
    make_job("In the archive", elm, archived=True)

    page = viewer.get("/customers").text

    assert f'href="/jobs?customer_id={oak}"' in page
    assert re.findall(r'<span class="overlong"[^>]*>(\d+)</span>', page) == ["0"]


def test_the_list_is_narrowed_and_sorted_by_its_address(viewer: Browser) -> None:
    make_job("Nightly", make_customer("Oak", note="tapes"))
    make_customer("Elm", active=False)

    assert names(viewer, "/customers") == ["Elm", "Oak"]
    assert names(viewer, "/customers?sort=-name") == ["Oak", "Elm"]
    assert names(viewer, "/customers?sort=-jobs") == ["Oak", "Elm"]
    assert names(viewer, "/customers?active=no") == ["Elm"]
    assert names(viewer, "/customers?q=TAPE&active=yes") == ["Oak"]
    assert "No customer fits." in viewer.get("/customers?q=%25").text


def test_fifty_customers_take_as_many_statements_as_one(operator: Browser) -> None:
    counts = []
    for number in range(51):
        make_customer(f"Customer {number:02}")
        if number in (0, 50):
            with counted_statements() as asked:
                operator.get("/customers")
            counts.append(len(asked))

    assert counts[0] == counts[1]
    assert "1–50 of 51" in text_of(operator.get("/customers").text)


def test_an_added_customer_is_stored_and_shown(operator: Browser) -> None:
    fields = {"name": "  Oak   BV ", "active": "true", "time_zone": "Europe/London", "note": "tapes"}

    answer = operator.post("/customers", data=fields)

    assert answer.headers["location"] == "/customers"
    assert "Added Oak BV." in operator.get("/customers").text
    oak = stored("Oak BV")
    assert oak is not None
    assert (oak.active, oak.time_zone, oak.note) == (True, "Europe/London", "tapes")


@pytest.mark.parametrize(
    "fields, status, sentence",
    [
        ({"name": " "}, 422, "A customer needs a name."),
        ({"name": "x" * 201}, 422, "at most 200 characters"),
        ({"name": "Nul\x00"}, 422, "at most 200 characters"),
        ({"name": "OAK"}, 409, "There is a customer called “OAK” already."),
        ({"name": "New", "time_zone": "Mars/Base"}, 422, "“Mars/Base” is no time zone"),
        ({"name": "New", "note": "x" * 2001}, 422, "A note has at most"),
    ],
)
def test_what_cannot_be_stored_is_explained_and_stays_typed(
    operator: Browser, fields: dict[str, str], status: int, sentence: str
) -> None:
    make_customer("Oak")

    answer = operator.post("/customers", data={"note": "typed before", **fields})

    assert (answer.status_code, sentence in text_of(answer.text)) == (status, True)
    assert fields.get("note", "typed before") in answer.text
    assert stored("New") is None


def test_a_changed_customer_is_stored_and_in_the_audit_log(operator: Browser) -> None:
    oak = make_customer("Oak", time_zone="Europe/London")
    assert 'value="Oak"' in operator.get(f"/customers/{oak}").text

    operator.post(f"/customers/{oak}", data={"name": "Oak & Sons", "note": "new name"})

    changed = stored("Oak & Sons")
    assert changed is not None
    assert (changed.active, changed.time_zone, changed.note) == (False, None, "new name")
    with transaction() as db:
        [act] = db.scalars(select(AuditEntry).where(AuditEntry.action == "customer.changed"))
    assert act.before is not None
    assert act.before["name"] == "Oak"


def test_the_form_of_a_customer_that_is_gone_says_so(operator: Browser) -> None:
    assert operator.get("/customers/4711").status_code == 404
    assert operator.post("/customers/4711", data={"name": "x"}).status_code == 404


def test_the_type_ahead_finds_any_part_of_active_customers(viewer: Browser) -> None:
    make_customer("De Oude Eik")
    make_customer("Eikenhof")
    make_customer("Eik, gone", active=False)

    page = text_of(viewer.get("/customers/options?q=eik").text)

    assert page == "Eikenhof 0 jobs De Oude Eik 0 jobs"


def test_the_type_ahead_says_that_there_are_more_or_none(viewer: Browser) -> None:
    for number in range(21):
        make_customer(f"Oak {number}")

    assert viewer.get("/customers/options?q=oak").text.count('type="radio"') == 20
    assert "the first 20" in viewer.get("/customers/options?q=oak").text
    assert "No active customer has “<b>” in its name." in text_of(viewer.get("/customers/options?q=%3Cb%3E").text)


def test_names_are_text_and_never_markup(operator: Browser) -> None:
    oak = make_customer('<b>Oak</b>" autofocus="', note="<i>note</i>")

    for path in ("/customers", f"/customers/{oak}", "/customers/options"):
        page = operator.get(path).text
        assert not re.search(r'<b>Oak|<i>note|value="<b>|" autofocus="', page), path


def test_a_viewer_reads_and_a_reporter_does_not(viewer: Browser, reporter: Browser) -> None:
    make_customer("Oak")

    assert len(rows(viewer.get("/customers"))) == 1
    assert "Add customer" not in viewer.get("/customers").text
    assert [viewer.get(path).status_code for path in ("/customers/new", "/customers/1", "/customers/import")] == [
        403
    ] * 3
    assert viewer.post("/customers", data={"name": "x"}).status_code == 403
    assert reporter.get("/customers").status_code == 403


def test_a_change_needs_the_token(operator: Browser) -> None:
    del operator.headers[HEADER]

    assert operator.post("/customers", data={"name": "Oak"}).status_code == 403
    assert stored("Oak") is None
