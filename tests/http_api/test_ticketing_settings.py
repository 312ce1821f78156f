"""Settings, Autotask: the connection test, the tenant's choices, how tickets are made, and what they will say."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.domain.ticket import MappingState, TicketSource
from shared.domain.ticketing import ReferenceKind
from shared.models.customers import Customer
from shared.models.ticketing import TicketingChoice, TicketingSettings, TicketingState
from shared.settings import settings
from tests.autotask_world import tenant_in_the_environment
from tests.fake_autotask import FakeAutotask, Fault
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, make_customer, make_job, make_run, text_of
from tests.http_api.mail_world import acts

PATH = "/manage/settings/autotask"
HTMX = {"HX-Request": "true"}
TYPED = {
    "provider": "autotask",
    "queue_id": "29682833",
    "new_status_id": "",
    "priority_failed_id": "1",
    "priority_missed_id": "",
    "priority_warning_id": "3",
    "ticket_source_id": "8",
    "issue_type_id": "11",
    "sub_issue_type_id": "111",
    "resolved_status_id": "",
    "closed_status_ids": ["21"],
    "note_type_id": "",
    "note_audience_id": "2",
    "due_hours": "8",
    "poll_minutes": "30",
    "resolve_after_good": "",
    "title_template": "{customer}: {job} {status}",
    "description_template": "{details}\n\n{link}",
}


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch, settings_of_the_test: None) -> Iterator[FakeAutotask]:
    monkeypatch.setenv("APP_SECRET_KEY", "a key of tests, and of nothing else")
    with tenant_in_the_environment(monkeypatch) as running:
        yield running


@pytest.fixture
def fetched(tenant: FakeAutotask, admin: Browser) -> Browser:
    """An administrator who fetched the tenant's choices."""
    admin.post(f"{PATH}/choices")
    return admin


def stored() -> TicketingSettings:
    with transaction() as db:
        return db.get_one(TicketingSettings, 1)


def state() -> TicketingState:
    with transaction() as db:
        return db.get_one(TicketingState, 1)


def choice(kind: ReferenceKind, choice_id: str) -> TicketingChoice | None:
    with transaction() as db:
        return db.get(TicketingChoice, (kind, choice_id))


def error_of(page: str, field: str) -> str:
    found = re.search(rf'<div class="field-error" id="{field}-says">(.*?)</div>', page, re.DOTALL)
    return text_of(found[1]) if found else ""


class TestConnection:
    def test_a_test_that_works_is_told_and_remembered(self, tenant: FakeAutotask, admin: Browser) -> None:
        answer = admin.post(f"{PATH}/test", headers=HTMX)

        said = text_of(answer.text)
        assert answer.text.count("check-ok") == 7
        assert "Passed" in answer.text
        assert "Signed in." in said
        assert state().tested_at is not None
        assert tenant.tickets == []

    @pytest.mark.parametrize(
        "variable, words",
        [
            ("AUTOTASK_USERNAME", "Autotask knows no such user: check AUTOTASK_USERNAME"),
            ("AUTOTASK_SECRET", "check AUTOTASK_SECRET, that his licence is API User"),
            ("AUTOTASK_INTEGRATION_CODE", "check AUTOTASK_INTEGRATION_CODE"),
        ],
    )
    def test_user_secret_and_code_are_told_apart_with_what_to_do(
        self, tenant: FakeAutotask, admin: Browser, monkeypatch: pytest.MonkeyPatch, variable: str, words: str
    ) -> None:
        monkeypatch.setenv(variable, "wrong@msp.example")
        settings.cache_clear()

        said = text_of(admin.post(f"{PATH}/test", headers=HTMX).text)

        assert words in said
        assert "wrong@msp.example" not in said
        assert state().tested_at is None

    def test_a_missing_right_is_none_of_these(self, tenant: FakeAutotask, admin: Browser) -> None:
        tenant.user.may_write = False

        answer = admin.post(f"{PATH}/test", headers=HTMX)

        assert "must let him add and edit tickets" in text_of(answer.text)
        assert "check AUTOTASK" not in answer.text
        assert state().tested_at is None

    def test_without_the_log_of_deletions_tickets_still_work(self, tenant: FakeAutotask, admin: Browser) -> None:
        tenant.user.may_read_deletions = False

        answer = admin.post(f"{PATH}/test", headers=HTMX)

        assert "takes administrator rights" in text_of(answer.text)
        assert state().tested_at is not None

    def test_a_refusal_opens_the_breaker_and_a_test_that_works_closes_it(
        self, tenant: FakeAutotask, admin: Browser
    ) -> None:
        tenant.user.is_locked = True
        admin.post(f"{PATH}/test", headers=HTMX)
        asked = len(tenant.signed_calls)

        blocked = admin.post(f"{PATH}/choices", headers=HTMX)
        assert "nothing more is sent to it" in text_of(blocked.text)
        assert len(tenant.signed_calls) == asked
        assert "Nothing is sent to Autotask since it refused the sign-in" in text_of(admin.get(PATH).text)

        tenant.user.is_locked = False
        answer = admin.post(f"{PATH}/test", headers=HTMX)
        assert 'id="now" hx-swap-oob="true"' in answer.text  # the warning goes with it
        assert "Nothing is sent to Autotask" not in text_of(admin.get(PATH).text)
        assert "Fetched" in text_of(admin.post(f"{PATH}/choices", headers=HTMX).text)

    def test_what_a_poll_could_not_find_out_is_told(self, admin: Browser) -> None:
        with transaction() as db:
            db.execute(update(TicketingState).values(poll_error="The log of deleted tickets can't be read."))
        assert "The log of deleted tickets" not in text_of(admin.get(PATH).text)  # nothing is polled by hand

        with transaction() as db:
            db.get_one(TicketingSettings, 1).provider = TicketSource.AUTOTASK
        assert "The log of deleted tickets can't be read." in text_of(admin.get(PATH).text)

    def test_without_credentials_it_says_which_are_missing(self, admin: Browser) -> None:
        assert "AUTOTASK_USERNAME, AUTOTASK_SECRET, AUTOTASK_INTEGRATION_CODE not set" in text_of(
            admin.post(f"{PATH}/test", headers=HTMX).text
        )
        assert "not set" in text_of(admin.get(PATH).text)

    def test_without_scripts_the_result_is_a_page(self, tenant: FakeAutotask, admin: Browser) -> None:
        answer = admin.post(f"{PATH}/test")

        assert "Back to the settings" in answer.text
        assert "Run Checks" in answer.text  # the navbar is there after the transaction was another one

    def test_autotask_that_was_never_tested_is_warned_about(
        self, fetched: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        warning = "no connection test has succeeded with these credentials yet"
        fetched.post(PATH, data=TYPED)
        assert warning in text_of(fetched.get(PATH).text)

        fetched.post(f"{PATH}/test")
        assert warning not in text_of(fetched.get(PATH).text)

        monkeypatch.setenv("AUTOTASK_SECRET", "another one")
        settings.cache_clear()
        assert warning in text_of(fetched.get(PATH).text)

    def test_the_page_asks_autotask_nothing_and_shows_no_credential(self, tenant: FakeAutotask, admin: Browser) -> None:
        page = admin.get(PATH).text

        assert tenant.calls == []
        assert "AUTOTASK_SECRET set" in text_of(page)
        for secret in (settings().autotask_secret, settings().autotask_integration_code, settings().autotask_username):
            assert secret not in page


class TestChoices:
    def test_they_are_fetched_offered_and_aged(self, fetched: Browser) -> None:
        page = fetched.get(PATH).text

        said = text_of(page)
        assert "2 queues, 2 sources, 4 statuses, 4 priorities, 2 issue types, 3 sub issue types" in said
        assert re.search(r"Fetched \d\d:\d\d \(\d+ s ago\)", said)
        assert '<option value="29682833">Backup</option>' in page
        assert "Old queue" not in page  # not active, and not chosen
        assert '<optgroup label="Backup" data-parent="11">' in page

    def test_what_was_typed_stays_while_they_are_fetched(self, tenant: FakeAutotask, admin: Browser) -> None:
        answer = admin.post(f"{PATH}/choices", data=TYPED | {"due_hours": "77"}, headers=HTMX)

        assert 'value="77"' in answer.text
        assert '<option value="29682833" selected>Backup</option>' in answer.text
        assert stored().due_hours == 24

    @pytest.mark.parametrize(
        "fault, words",
        [
            (Fault.throttle("3600"), "throttling us: try again in 600 seconds"),
            (Fault.of(500, "Something is wrong."), "Something is wrong."),
            (Fault.of(500, "The logged in Resource does not have the adequate permissions to query this entity type."),
             "may not do that"),
        ],
    )  # fmt: skip
    def test_trouble_is_told_in_words_and_changes_nothing(
        self, fetched: Browser, tenant: FakeAutotask, fault: Fault, words: str
    ) -> None:
        with transaction() as db:
            before = db.get_one(TicketingChoice, (ReferenceKind.QUEUE, "29682833"))
            before.label = "As it was"
        tenant.plan(fault.at("TicketNotes", times=None))  # the second of two calls

        answer = fetched.post(f"{PATH}/choices", headers=HTMX)

        assert words in text_of(answer.text)
        after = choice(ReferenceKind.QUEUE, "29682833")
        assert after is not None
        assert after.label == "As it was"

    def test_what_vanished_is_dropped_unless_it_is_chosen(self, fetched: Browser) -> None:
        with transaction() as db:
            for choice_id in ("77", "78", "79"):
                db.add(TicketingChoice(kind=ReferenceKind.QUEUE, choice_id=choice_id, label=f"Queue {choice_id}"))
            db.add(TicketingChoice(kind=ReferenceKind.STATUS, choice_id="90", label="Parked"))
            chosen = db.get_one(TicketingSettings, 1)
            chosen.queue_id, chosen.closed_status_ids, chosen.provider = "77", ["90"], TicketSource.AUTOTASK

        fetched.post(f"{PATH}/choices")

        kept, parked = choice(ReferenceKind.QUEUE, "77"), choice(ReferenceKind.STATUS, "90")
        assert kept is not None
        assert not kept.is_active
        assert parked is not None
        assert choice(ReferenceKind.QUEUE, "78") is None
        page = fetched.get(PATH).text
        assert '<option value="77" selected>Queue 77 (not active any more)</option>' in page
        assert error_of(page, "queue_id") == "“Queue 77” is not active at Autotask any more. Choose another one."


class TestForm:
    def test_what_is_saved_is_stored_and_audited(self, fetched: Browser) -> None:
        answer = fetched.post(PATH, data=TYPED)

        assert answer.headers["location"] == PATH
        now = stored()
        assert (now.provider, now.queue_id, now.priority_failed_id) == (TicketSource.AUTOTASK, "29682833", "1")
        assert (now.sub_issue_type_id, now.closed_status_ids, now.due_hours) == ("111", ["21"], 8)
        assert (now.resolve_after_good, now.title_template) == (None, "{customer}: {job} {status}")
        assert now.description_template == ""  # the usual one, which follows ours
        [act] = acts("settings.changed")
        assert act.before is not None
        assert act.after is not None
        assert (act.before["provider"], act.after["provider"]) == ("manual", "autotask")
        assert "poll_minutes" in act.after
        assert "resolved_status_id" not in act.after  # it was so before

    @pytest.mark.parametrize(
        "field, value, sentence",
        [
            ("provider", "elsewhere", "Choose who keeps the tickets."),
            ("queue_id", "", "Choose the queue: Autotask takes no ticket without."),
            ("queue_id", "29682970", "“Old queue” is not active at Autotask any more."),
            ("queue_id", "5", "Autotask has no such choice (any more)."),
            ("priority_failed_id", "", "Choose the priority of failed runs"),
            ("sub_issue_type_id", "121", "This sub issue type belongs to another issue type."),
            ("new_status_id", "5", "This status counts as closed"),
            ("new_status_id", "21", "This status counts as closed"),
            ("closed_status_ids", "999", "Autotask has no such status (any more)."),
            ("due_hours", "0", "A whole number of hours from 1 to 720"),
            ("poll_minutes", "4", "A whole number of minutes from 5 to 1,440"),
            ("resolve_after_good", "31", "A whole number of runs from 1 to 30"),
            ("resolve_after_good", "-1", "A whole number of runs from 1 to 30"),
            ("title_template", "{colour} of {job}", "{colour} stands for nothing."),
            ("title_template", "x" * 201, "At most 200 characters"),
            ("description_template", "x" * 4001, "At most 4,000 characters"),
        ],
    )
    def test_what_cannot_be_used_is_explained_beside_its_field(
        self, fetched: Browser, field: str, value: str, sentence: str
    ) -> None:
        answer = fetched.post(PATH, data=TYPED | {field: value})

        assert answer.status_code == 422
        assert sentence in error_of(answer.text, field)
        assert stored().provider is TicketSource.MANUAL

    def test_kept_by_hand_nothing_needs_to_be_chosen(self, admin: Browser) -> None:
        nothing = {"provider": "manual", "due_hours": "24", "poll_minutes": "15"}

        assert admin.post(PATH, data=nothing).headers["location"] == PATH
        assert "Nothing was changed." in text_of(admin.get(PATH).text)

    def test_resolving_by_itself_is_off_until_a_number_is_typed(self, fetched: Browser) -> None:
        assert stored().resolve_after_good is None

        fetched.post(PATH, data=TYPED | {"resolve_after_good": "3"})
        assert stored().resolve_after_good == 3
        assert 'name="resolve_after_good" value="3"' in fetched.get(PATH).text

        fetched.post(PATH, data=TYPED)
        assert stored().resolve_after_good is None

    def test_it_stands_beside_the_other_settings_for_administrators_alone(
        self, admin: Browser, operator: Browser
    ) -> None:
        assert f'href="{PATH}" aria-current="page"' in admin.get(PATH).text
        for path in ("", "/test", "/choices", "/preview"):
            assert operator.post(f"{PATH}{path}").status_code == 403
        assert operator.get(PATH).status_code == 403

    def test_the_page_asks_the_database_a_bounded_number_of_times(self, fetched: Browser) -> None:
        make_run(make_job("Nightly", make_customer("Aspen")), Status.FAILED)
        with counted_statements() as asked:
            fetched.get(PATH)

        assert len(asked) <= 25


class TestPreview:
    def test_it_shows_the_last_run_that_went_wrong(self, admin: Browser) -> None:
        job_id = make_job("Nightly <b>", make_customer("Aspen & Sons"))
        make_run(job_id, Status.FAILED, days_ago=1)
        make_run(job_id, Status.SUCCESS)

        shown = admin.post(f"{PATH}/preview", data={"title_template": "{job} at {customer}"}, headers=HTMX).text

        assert "Nightly &lt;b&gt; at Aspen &amp; Sons" in shown
        assert "As of the last run that went wrong: Aspen & Sons" in text_of(shown)

    def test_without_such_a_run_it_invents_one(self, admin: Browser) -> None:
        shown = text_of(admin.post(f"{PATH}/preview", data={}, headers=HTMX).text)

        assert "No run went wrong yet; this one is invented." in shown
        assert "Backup failed: Aspen Dental – Nightly VMs" in shown

    def test_a_name_that_stands_for_nothing_is_named(self, admin: Browser) -> None:
        shown = text_of(admin.post(f"{PATH}/preview", data={"title_template": "{colour}"}, headers=HTMX).text)

        assert "{colour} stands for nothing." in shown

    def test_the_page_lists_what_can_be_filled_in(self, admin: Browser) -> None:
        said = text_of(admin.get(PATH).text)

        assert "{customer} the customer's name" in said


class TestCompanies:
    def test_many_that_are_not_to_be_seen_wait_for_a_persons_word(self, tenant: FakeAutotask, admin: Browser) -> None:
        seen_at = clock.now() - timedelta(days=1)
        with transaction() as db:
            for number in range(12):
                customer = db.get_one(Customer, make_customer(f"Customer {number}"))
                customer.autotask_company_id, customer.autotask_company_name = str(900_000 + number), "Gone"
                customer.autotask_mapping, customer.autotask_checked_at = MappingState.OK, seen_at
            db.execute(update(TicketingState).values(companies_at=seen_at + timedelta(hours=1)))
        page = admin.get(PATH)
        assert "12 of 12 companies were not to be seen any more, all at once" in text_of(page.text)
        assert f'action="{PATH}/companies-are-gone"' in page.text

        answer = admin.post(f"{PATH}/companies-are-gone")

        assert "Looked at 12 companies: 12 missing." in text_of(admin.get(answer.headers["location"]).text)
        with transaction() as db:
            assert set(db.scalars(select(Customer.autotask_mapping))) == {MappingState.MISSING}
        [act] = acts("companies.believed_gone")
        assert (act.user_name, act.after) == ("the admin", {"gone": 12, "of": 12})
        assert "all at once" not in text_of(admin.get(PATH).text)

    def test_without_an_answer_nothing_is_believed(self, admin: Browser) -> None:
        answer = admin.post(f"{PATH}/companies-are-gone")

        assert "Autotask is not set up" in text_of(admin.get(answer.headers["location"]).text)
        assert acts("companies.believed_gone") == []
