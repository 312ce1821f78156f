"""Tickets in a real browser: made, seen at once, copied, resolved, and gone from the next run."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from shared.clients.queues import queues_in_this_process
from shared.db.session import transaction
from shared.domain.queue_message import TicketTask, TicketWork
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.models.ticketing import TicketingSettings
from shared.models.tickets import Remark, Ticket, TicketRun
from shared.services.ticket_work import handle_ticket_work
from tests.autotask_world import tenant_in_the_environment
from tests.http_api.client import Browser
from tests.http_api.live import Tab, opened, served
from tests.http_api.run_checks_world import Made, a_job, a_run, open_runs
from tests.http_api.test_make_tickets import with_autotask
from tests.http_api.ticket_world import a_remark, a_ticket, change_ticket, resolve

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WARNING, FAILED = Status.WARNING, Status.FAILED
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined });"
HOUR = 3600
QUEUE, HIGH = "29682833", "1"  # choices of the fake tenant
NO_COMMAND = "document.execCommand = () => false;"
LISTEN = """
window.copied = [];
document.addEventListener("copy", () => window.copied.push(document.activeElement.value));
"""
# The texts of which some part lies upon the next cell's.
PARTS_UPON_OTHERS = """
[...document.querySelectorAll("tr[data-row]")].flatMap((row) => {
  const marks = [...row.querySelectorAll(".ticket-state > *")].map((mark) => mark.getBoundingClientRect());
  const cells = [...row.querySelectorAll("td:not(.ticket-state)")].map((cell) => [cell, cell.getBoundingClientRect()]);
  return cells.filter(([, cell]) => cell.width && marks.some((mark) =>
    mark.right > cell.left && mark.left < cell.right && mark.bottom > cell.top && mark.top < cell.bottom
  )).map(([cell]) => cell.innerText);
})
"""
CATCH = "navigator.clipboard.writeText = async (text) => { window.copied.push(text); };"


@pytest.fixture
def address(app: FastAPI, clean_database: str) -> Iterator[str]:
    with served(app) as found:
        yield found


@pytest.fixture
def tab(address: str, operator: Browser) -> Iterator[Tab]:
    with opened(address, operator) as found:
        yield found
        # What the policy of our pages blocks is complained about here too.
        known = ("/mails/", "status of 422", "status of 409")
        assert [words for words in found.trouble if not any(each in words for each in known)] == []


def go(tab: Tab, path: str = "/run-checks") -> None:
    tab.page.goto(tab.address + path)


def customer_of(job: Made) -> int:
    with transaction() as db:
        return db.scalars(select(Job.customer_id).where(Job.id == job.job_id)).one()


def linked() -> dict[str | None, set[int]]:
    """Return the runs of each ticket, by its code."""
    with transaction() as db:
        found: dict[str | None, set[int]] = {}
        query = select(Ticket.ticket_code, TicketRun.job_run_id).join(TicketRun, TicketRun.ticket_id == Ticket.id)
        for code, run_id in db.execute(query):
            found.setdefault(code, set()).add(run_id)
        return found


def test_a_ticket_is_made_seen_at_once_resolved_and_gone_from_the_next_run(tab: Tab) -> None:
    job = a_job(FAILED, name="Nightly VMs")
    go(tab)

    tab.page.keyboard.press("j")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("#rc-panel .run-actions")
    tab.page.keyboard.press("t")
    tab.page.wait_for_selector("#asked[open] input[id^=code-]:focus")
    tab.page.keyboard.type("INC-7")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("#rc-panel .alerts >> text=INC-7")
    tab.page.wait_for_selector("tr[data-job] .open-mark[title='Open ticket: INC-7']")

    tab.page.click("#rc-panel .ticket-code a")
    tab.page.click("text=Resolve…")
    tab.page.fill("dialog[open] #note", "new disks")
    tab.page.click("dialog[open] .btn-primary")
    tab.page.wait_for_selector("h1 + .figures >> text=Resolved")
    new = a_run(job.job_id, FAILED)
    go(tab, f"/run-checks?panel={job.job_id}&run={new}")

    assert tab.page.locator("#rc-panel .ticket-code").count() == 0
    assert "INC-7 was resolved" in tab.page.inner_text("#rc-panel .run-alerts")
    assert tab.page.locator(".open-mark").count() == 0
    go(tab, f"/run-checks?panel={job.job_id}&run={job.run_id}")
    assert "INC-7" in tab.page.inner_text("#rc-panel .run-alerts")
    assert linked() == {"INC-7": {job.run_id}}


def test_with_a_ticket_a_failed_run_is_reviewed_without_further_words(tab: Tab) -> None:
    job = a_job(FAILED)
    go(tab)

    tab.page.keyboard.press("j")
    tab.page.keyboard.press("t")
    tab.page.wait_for_selector("#asked[open] input[id^=code-]:focus")
    tab.page.keyboard.type("INC-7")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector(".open-mark")
    tab.page.keyboard.press("r")
    tab.page.wait_for_selector("text=Everything is reviewed.")

    assert job.run_id not in open_runs()


def test_selected_rows_of_two_customers_make_a_ticket_each(tab: Tab) -> None:
    one, other = a_job(FAILED, customer="Acme BV"), a_job(FAILED, customer="Bakker")
    go(tab)

    for _ in range(2):
        tab.page.keyboard.press("j")
        tab.page.keyboard.press("x")
    tab.page.keyboard.press("t")
    tab.page.wait_for_selector("#asked[open] >> text=2 tickets, one for each customer")
    tab.page.fill(f"#code-{customer_of(one)}", "A-1")
    tab.page.fill(f"#code-{customer_of(other)}", "B-1")
    tab.page.click("#asked .btn-primary")
    tab.page.wait_for_selector("tr[data-job]:nth-child(2) .open-mark")

    assert linked() == {"A-1": {one.run_id}, "B-1": {other.run_id}}


def test_who_was_slower_keeps_what_he_typed_and_links_the_others_ticket(tab: Tab) -> None:
    job = a_job(FAILED)
    go(tab)
    tab.page.keyboard.press("j")
    tab.page.keyboard.press("t")
    tab.page.wait_for_selector("#asked[open] input[id^=code-]:focus")
    tab.page.keyboard.type("INC-8")
    a_ticket(job.run_id, code="INC-7")

    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("#asked >> text=has an open ticket, INC-7")
    typed = tab.page.input_value("#asked [id^=code-]")
    tab.page.click("#asked .btn-primary")
    tab.page.wait_for_selector("text=Linked to 1 run of Nightly.")

    assert typed == "INC-8"
    assert set(linked()) == {"INC-7"}


def test_an_open_ticket_is_found_as_one_types_and_linked_with_the_keyboard(tab: Tab) -> None:
    customer = "Acme BV"
    first = a_job(FAILED, customer=customer, name="First")
    a_ticket(first.run_id, code="INC-7", description="the switch is broken")
    with transaction() as db:
        customer_id = db.scalars(select(Job.customer_id).where(Job.id == first.job_id)).one()
        job = db.get_one(Job, a_job(FAILED, name="Second").job_id)
        job.customer_id = customer_id
    go(tab, f"/run-checks?panel={job.id}")

    tab.page.click(".run-actions .dropdown-toggle-split")
    tab.page.click("text=Link an open ticket…")
    tab.page.wait_for_selector("#asked[open] [role=combobox]")
    tab.page.focus("#asked [role=combobox]")
    tab.page.keyboard.type("switch")
    tab.page.wait_for_selector("#asked [role=option] >> text=INC-7")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("#rc-panel .alerts >> text=INC-7")

    assert len(linked()["INC-7"]) == 2


def test_a_remark_shows_at_once(tab: Tab) -> None:
    job = a_job(FAILED)
    go(tab, f"/run-checks?panel={job.job_id}")

    tab.page.click(".run-actions > button:has-text('Remark')")
    tab.page.wait_for_selector("#asked[open] #body:focus")
    tab.page.keyboard.type("Disks are ordered.")
    tab.page.click("#asked .btn-primary")
    tab.page.wait_for_selector("#rc-panel .alerts >> text=Disks are ordered.")

    assert tab.page.get_attribute("tr[data-job] .open-mark", "title") == "Remark: Disks are ordered."


def test_giving_up_makes_nothing_and_a_click_beside_the_form_loses_nothing(tab: Tab) -> None:
    a_job(FAILED)
    go(tab)
    tab.page.keyboard.press("j")
    tab.page.keyboard.press("t")
    tab.page.wait_for_selector("#asked[open] input[id^=code-]:focus")
    tab.page.keyboard.type("INC-8")

    tab.page.mouse.click(5, 400)
    kept = tab.page.input_value("#asked [id^=code-]")
    tab.page.keyboard.press("Escape")

    assert kept == "INC-8"
    assert not tab.page.is_visible("#asked")
    assert linked() == {}


def test_from_a_failed_run_to_autotask_and_back(
    tab: Tab, monkeypatch: pytest.MonkeyPatch, settings_of_the_test: None
) -> None:
    """Made there once, shown here with its number, resolved there, and gone from the next run here."""
    job = a_job(FAILED, customer="Acme BV", name="Nightly VMs")
    with tenant_in_the_environment(monkeypatch) as tenant:
        map_to(customer_of(job), tenant.add_company("Acme BV"))
        go(tab, f"/run-checks?panel={job.job_id}")
        tab.page.keyboard.press("t")
        tab.page.wait_for_selector("#asked[open] input[id^=title-]:focus")
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_selector("#rc-panel .alerts >> text=being made…")

        work(TicketTask.SEND)
        (made,) = tenant.tickets
        go(tab, f"/run-checks?panel={job.job_id}")
        shown = tab.page.inner_text("#rc-panel .ticket-code a")
        tenant.close_ticket(str(made["id"]))
        work(TicketTask.POLL)
        new = a_run(job.job_id, FAILED)
        go(tab, f"/run-checks?panel={job.job_id}&run={new}")
        after = tab.page.inner_text("#rc-panel .run-alerts")
        go(tab, f"/run-checks?panel={job.job_id}&run={job.run_id}")

        assert shown == made["ticketNumber"]
        assert f"{shown} was resolved" in after
        assert "Resolved" in tab.page.inner_text("#rc-panel .alerts")
        assert linked() == {shown: {job.run_id}}


def map_to(customer_id: int, company: str) -> None:
    with_autotask(customer_id)
    with transaction() as db:
        db.get_one(Customer, customer_id).autotask_company_id = company
        db.execute(update(TicketingSettings).values(queue_id=QUEUE, priority_failed_id=HIGH))


def work(task: TicketTask) -> None:
    """Do what the queue would have a worker do."""
    handle_ticket_work(TicketWork(task=task).to_json(), queues_in_this_process())


@pytest.mark.parametrize(
    "where, broken, asks",
    [
        ("panel", "", False),
        ("panel", NO_CLIPBOARD, False),
        ("panel", NO_CLIPBOARD + NO_COMMAND, True),
        ("job", "", False),
        ("job", NO_CLIPBOARD, False),
        ("job", NO_CLIPBOARD + NO_COMMAND, True),
    ],
)
def test_a_code_is_copied_whatever_the_browser_allows(where: str, broken: str, *, asks: bool, tab: Tab) -> None:
    job = a_job(FAILED)
    a_ticket(job.run_id, code="INC-7")
    asked: list[str] = []
    tab.page.on("dialog", lambda dialog: (asked.append(dialog.default_value), dialog.dismiss()))
    tab.page.add_init_script(LISTEN + (broken or CATCH))
    tab.page.clock.install(time=0)
    go(tab, f"/run-checks?panel={job.job_id}" if where == "panel" else f"/jobs/{job.job_id}")
    button = tab.page.locator("[data-copy]").first
    tab.page.clock.pause_at(HOUR)  # from here on time passes as we say

    button.click()
    if not asks:
        tab.page.wait_for_selector("[data-copy].is-copied")
        tab.page.clock.run_for(700)
        still = tab.page.locator(".is-copied .copy-done").is_visible()
        tab.page.clock.run_for(200)
        assert still
        assert button.get_attribute("aria-label") == "Copy INC-7"

    assert tab.page.locator(".is-copied").count() == 0
    assert asked == (["INC-7"] if asks else [])
    assert tab.page.evaluate("window.copied") == ([] if asks else ["INC-7"])


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_window(width: int, address: str, operator: Browser) -> None:
    name = "a name without any space " + "x" * 95
    job = a_job(FAILED, customer=name, name=name, message=name * 3)
    ticket_id = a_ticket(job.run_id, code="y" * 64, description=name * 20)
    remark_id = a_remark(job.run_id, body=name * 20)
    paths = [
        "/tickets",
        "/tickets/remarks",
        f"/tickets/{ticket_id}",
        f"/tickets/remarks/{remark_id}",
        f"/tickets/new?customer_id={customer_of(job)}",
        f"/jobs/{job.job_id}",
        f"/run-checks?panel={job.job_id}",
    ]
    with opened(address, operator, width=width) as tab:
        widths = {}
        for path in paths:
            go(tab, path)
            widths[path] = tab.page.evaluate("document.documentElement.scrollWidth")

    assert widths == dict.fromkeys(paths, width)


def test_by_hand_a_remark_is_made_with_the_keyboard_alone(tab: Tab) -> None:
    job = a_job(WARNING, customer="Acme BV", name="Nightly VMs")
    go(tab, f"/tickets/remarks/new?customer_id={customer_of(job)}")

    tab.page.focus("[name=job]")
    tab.page.keyboard.press("Space")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.type("Replaced in May.")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("text=Remark added.")

    with transaction() as db:
        assert db.scalars(select(Remark.body)).all() == ["Replaced in May."]


@pytest.mark.parametrize("width", [360, 1280])
def test_long_names_and_codes_push_nothing_aside(width: int, tab: Tab) -> None:
    job = a_job(
        FAILED, customer="Foundation for Open Education in the North-East and Thereabouts", name="Nightly " * 20
    )
    a_ticket(job.run_id, code="INC-" + "x" * 60, description="the disk is full " * 20)
    change_ticket(a_ticket(job.run_id, anyway=True), misses=2)
    resolve(a_ticket(job.run_id, anyway=True))
    tab.page.set_viewport_size({"width": width, "height": 800})

    go(tab, "/tickets?state=all")

    assert tab.page.evaluate("document.documentElement.scrollWidth") == width
    assert tab.page.evaluate(PARTS_UPON_OTHERS) == []
