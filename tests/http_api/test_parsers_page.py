import re
from datetime import timedelta

from shared import clock
from shared.db.session import transaction
from shared.parsers.examples import examples
from shared.parsers.registry import all_parsers
from tests.builders import arrive
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, rows, text_of
from tests.mails import mail, report_mail


def row_of(browser: Browser, parser: str) -> str:
    [row] = [row for row in rows(browser.get("/parsers")) if f" {parser} " in row]
    return row


def test_the_page_shows_every_parser_with_what_it_looks_for(admin: Browser) -> None:
    page = text_of(admin.get("/parsers").text)

    missing = [each.name for each in all_parsers() if " ".join(each.looks_for.split()) not in page]
    assert missing == []
    assert len(rows(admin.get("/parsers"))) == len(all_parsers())


def test_every_parser_has_an_example_that_names_no_real_host() -> None:
    shown = examples()

    assert {each.name for each in all_parsers()} == set(shown)
    addresses = [address for each in shown.values() for address in re.findall(r"[\w.-]+@[\w.-]+\.\w+", each.excerpt)]
    assert [address for address in addresses if not address.endswith(".example")] == []


def test_the_figures_count_mails_of_thirty_days_and_those_that_were_read(admin: Browser) -> None:
    now = clock.now()
    with transaction() as db:
        arrive(db, report_mail("Nightly"), now=now)
        arrive(db, report_mail("Weekly", cut=True), now=now)
        arrive(db, report_mail("Long ago"), now=now - timedelta(days=31))

    assert re.search(r" en(?: \w\w)* 2 50 % ", row_of(admin, "veeam.job_session"))


def test_a_parser_without_mails_says_so(admin: Browser) -> None:
    assert row_of(admin, "veeam.job_session").endswith("– – not in 30 days")


def test_mails_that_no_parser_knows_are_counted(admin: Browser) -> None:
    assert "No parser knew" not in text_of(admin.get("/parsers").text)
    with transaction() as db:
        arrive(db, mail("Lunch on Friday?", "Who joins?"), now=clock.now())

    assert "No parser knew 1 mail of that time" in text_of(admin.get("/parsers").text)


def test_the_number_of_mails_does_not_change_the_number_of_statements(admin: Browser) -> None:
    counts = []
    for number in range(12):
        with transaction() as db:
            arrive(db, report_mail(f"Job {number}"), now=clock.now())
        if number in (0, 11):
            with counted_statements() as asked:
                admin.get("/parsers")
            counts.append(len(asked))

    assert counts[0] == counts[1]


def test_only_admins_see_it(operator: Browser, viewer: Browser) -> None:
    assert [operator.get("/parsers").status_code, viewer.get("/parsers").status_code] == [403, 403]
