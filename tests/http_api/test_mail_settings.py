import re
from collections.abc import Iterator

import pytest

from shared import clock
from shared.db.session import transaction
from shared.domain.mailflow import MoveState, Source, SubscriptionState
from shared.models.mailbox import MailboxRow, MailMove
from shared.queries.pipeline import folder_states
from tests.fake_graph import FakeGraph
from tests.http_api.client import Browser
from tests.http_api.inbox_world import report
from tests.http_api.lists import counted_statements, text_of
from tests.http_api.mail_world import (
    ADDRESS,
    a_folder,
    a_mailbox,
    a_read,
    a_subscription,
    acts,
    add,
    an_arrival,
    mailbox_in_a_fake,
    read_a_mailbox,
    stored_settings,
    switch,
)

PATH = "/manage/settings/mail"
HTMX = {"HX-Request": "true"}
TYPED = {
    "import_enabled": "true",
    "import_interval_minutes": "20",
    "import_batch": "300",
    "manual_batch": "60",
    "move_processed": "true",
    "processed_folder": "  Done   mails ",
    "raw_days": "0",
    "mail_lookback_days": "14",
}


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch, settings_of_the_test: None) -> Iterator[FakeGraph]:
    with mailbox_in_a_fake(monkeypatch) as found:
        yield found


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch, settings_of_the_test: None) -> None:
    """A mailbox that nobody asks anything."""
    read_a_mailbox(monkeypatch, GRAPH_CLIENT_ID="a client id", PUBLIC_URL="https://backups.msp.example")


def read_paths() -> list[str]:
    with transaction() as db:
        return [folder.path for folder in folder_states(db, ADDRESS) if folder.active]


def says(browser: Browser) -> str:
    return text_of(browser.get(PATH).text)


class TestForm:
    def test_what_is_saved_is_stored_tidied_and_audited(self, admin: Browser) -> None:
        answer = admin.post(PATH, data=TYPED)

        assert answer.headers["location"] == PATH
        assert "Settings saved." in admin.get(PATH).text
        stored = stored_settings()
        assert (stored.import_enabled, stored.import_interval_minutes, stored.import_batch) == (True, 20, 300)
        assert (stored.manual_batch, stored.raw_days, stored.mail_lookback_days) == (60, 0, 14)
        assert (stored.move_processed, stored.processed_folder) == (True, "Done mails")
        [act] = acts("settings.changed")
        assert act.before is not None
        assert act.after is not None
        assert (act.before["raw_days"], act.after["raw_days"]) == (90, 0)
        assert "move_processed" not in act.before  # it was so before

    def test_an_unticked_box_switches_off(self, admin: Browser) -> None:
        switch(import_enabled=True)

        admin.post(PATH, data={name: value for name, value in TYPED.items() if value != "true"})

        assert (stored_settings().import_enabled, stored_settings().move_processed) == (False, False)

    @pytest.mark.parametrize(
        "field, value, sentence",
        [
            ("import_interval_minutes", "4", "A whole number of minutes from 5 to 60"),
            ("import_interval_minutes", "61", "A whole number of minutes from 5 to 60"),
            ("import_interval_minutes", "", "A whole number of minutes from 5 to 60"),
            ("import_batch", "0", "A whole number of mails from 1 to 10,000"),
            ("manual_batch", "-5", "A whole number of mails from 1 to 10,000"),
            ("manual_batch", "9" * 400, "A whole number of mails from 1 to 10,000"),
            ("raw_days", "3651", "A whole number of days from 0 to 3,650"),
            ("raw_days", "٩٠", "A whole number of days from 0 to 3,650"),
            ("mail_lookback_days", "1.5", "A whole number of days from 1 to 365"),
            ("processed_folder", " ", "Mails that are moved need a folder."),
            ("processed_folder", "a/b", "at most 100 characters and no slash"),
            ("processed_folder", "x" * 101, "at most 100 characters and no slash"),
            ("processed_folder", "nul\x00", "at most 100 characters and no slash"),
        ],
    )
    def test_what_cannot_be_stored_is_explained_beside_its_field(
        self, admin: Browser, field: str, value: str, sentence: str
    ) -> None:
        answer = admin.post(PATH, data={**TYPED, field: value})

        assert answer.status_code == 422
        error = re.search(rf'<div class="field-error" id="{field}-says">(.*?)</div>', answer.text, re.DOTALL)
        assert error is not None
        assert sentence in text_of(error[1])
        other = "manual_batch" if field == "import_batch" else "import_batch"
        assert f'name="{other}" value="{TYPED[other]}"' in answer.text  # what else was typed
        assert stored_settings().import_batch == 200

    def test_all_that_is_wrong_is_told_at_once(self, admin: Browser) -> None:
        answer = admin.post(PATH, data={**TYPED, "raw_days": "x", "import_batch": "y"})

        assert answer.text.count('class="field-error"') == 2
        assert 'value="x"' in answer.text
        assert "Nothing was saved" in answer.text

    def test_the_interval_of_a_local_start_may_stay(self, admin: Browser) -> None:
        switch(import_interval_minutes=1)

        assert admin.post(PATH, data={**TYPED, "import_interval_minutes": "1"}).status_code == 303
        assert admin.post(PATH, data={**TYPED, "import_interval_minutes": "2"}).status_code == 422

    def test_a_folder_that_is_read_takes_no_imported_mails(self, admin: Browser) -> None:
        a_folder(a_mailbox(), "Done Mails")

        answer = admin.post(PATH, data=TYPED)

        assert "This folder is itself read" in text_of(answer.text)

    def test_without_moving_the_folder_needs_no_name(self, admin: Browser) -> None:
        typed = {name: value for name, value in TYPED.items() if name != "move_processed"}

        admin.post(PATH, data={**typed, "processed_folder": ""})

        assert (stored_settings().move_processed, stored_settings().processed_folder) == (False, "Backupchecks")

    def test_it_is_explained_what_switching_off_means(self, admin: Browser) -> None:
        assert "counts as an outage: missed runs are not judged" in says(admin)

    def test_operators_change_nothing(self, operator: Browser) -> None:
        assert operator.get(PATH).status_code == 403
        assert operator.post(PATH, data=TYPED).status_code == 403
        assert stored_settings().import_batch == 200


class TestState:
    def test_a_mail_folder_is_named_and_has_no_connection_to_test(self, admin: Browser) -> None:
        page = says(admin)

        assert "Mails come from The folder" in page
        assert "Test the connection" not in page
        assert "Last read Never" in page

    @pytest.mark.parametrize(
        "environment, words",
        [
            ({}, "Not set. GRAPH_CLIENT_ID is not set"),
            ({"GRAPH_CLIENT_ID": "c"}, "The managed identity (set by the environment)"),
            ({"GRAPH_CLIENT_ID": "c", "GRAPH_TENANT_ID": "t"}, "Not set. GRAPH_TENANT_ID is set"),
            (
                {"GRAPH_CLIENT_ID": "c", "GRAPH_TENANT_ID": "t", "GRAPH_CLIENT_SECRET": "very secret"},
                "An app registration with a client secret (set by the environment)",
            ),
        ],
    )
    def test_the_kind_of_credential_is_told_and_never_its_value(
        self, admin: Browser, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], words: str
    ) -> None:
        read_a_mailbox(monkeypatch, **environment)

        page = admin.get(PATH).text

        assert words in text_of(page)
        assert "very secret" not in page

    def test_the_last_read_and_its_trouble_are_told_in_words(self, admin: Browser, mailbox: None) -> None:
        switch(import_enabled=True)
        mailbox_id = a_mailbox(last_error="the mailbox does not exist", last_error_at=clock.now())
        a_read(minutes_ago=3, mailbox_id=mailbox_id, source=Source.GRAPH, new=7)
        a_read(minutes_ago=1, mailbox_id=mailbox_id, source=Source.GRAPH, complete=False)
        an_arrival(mailbox_id)

        page = says(admin)

        assert "Mailbox 3 m Read to its end; covered until" in page
        assert "in 2 s: 0 new mails" in page
        assert "the mailbox does not exist" in page
        assert "1 mail waits to be imported" in page

    def test_reads_of_another_mailbox_cover_nothing(self, admin: Browser, mailbox: None) -> None:
        switch(import_enabled=True)
        [other] = add(MailboxRow(address="former@msp.example"))
        a_read(minutes_ago=3, mailbox_id=other, source=Source.GRAPH)

        assert "Has not been read to its end yet." in says(admin)

    def test_moves_that_were_given_up_are_counted(self, admin: Browser, mailbox: None) -> None:
        mailbox_id, now = a_mailbox(), clock.now()
        states = (MoveState.WAITING, MoveState.GIVEN_UP, MoveState.DONE)
        add(
            *(
                MailMove(
                    mail_id=report(f"Job {state.value}"),
                    mailbox_id=mailbox_id,
                    graph_id="g",
                    state=state,
                    due_at=now,
                    settled_at=None if state is MoveState.WAITING else now,
                )
                for state in states
            )
        )

        assert "Moves 1 waiting, 1 given up" in says(admin)

    @pytest.mark.parametrize(
        "state, words",
        [
            (SubscriptionState.ACTIVE, "Notifications 4 d left Active until"),
            (SubscriptionState.REFUSED, "Notifications polling Refused by Microsoft Graph. New mails are found by"),
            (SubscriptionState.REMOVED, "Notifications polling Lost, and asked for again by a timer."),
            (SubscriptionState.FAILED, "Notifications polling Lost, and asked for again by a timer."),
            (None, "Notifications polling Not asked for yet."),
        ],
    )
    def test_it_is_plain_whether_graph_notifies_us(
        self, admin: Browser, mailbox: None, state: SubscriptionState | None, words: str
    ) -> None:
        switch(import_enabled=True)
        folder_id = a_folder(a_mailbox())
        if state:
            a_subscription(folder_id, state, error="because of this")

        page = says(admin)

        assert words in page
        assert ("because of this" in page) == (state not in (None, SubscriptionState.ACTIVE))

    def test_without_a_public_address_there_are_no_notifications(
        self, admin: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read_a_mailbox(monkeypatch)

        assert "None: PUBLIC_URL is not set" in says(admin)

    def test_opening_the_page_asks_graph_nothing(self, admin: Browser, graph: FakeGraph) -> None:
        says(admin)

        assert graph.calls == []

    def test_many_folders_and_reads_take_as_many_statements_as_one(self, admin: Browser, mailbox: None) -> None:
        mailbox_id = a_mailbox()
        counts = []
        for number in range(51):
            a_folder(mailbox_id, f"Folder {number}", graph_id=f"id {number}")
            a_read(minutes_ago=number, mailbox_id=mailbox_id, source=Source.GRAPH)
            if number in (0, 50):
                with counted_statements() as asked:
                    admin.get(PATH)
                counts.append(len(asked))

        assert counts[0] == counts[1]


class TestConnection:
    def test_each_step_is_told(self, admin: Browser, graph: FakeGraph) -> None:
        answer = admin.post(f"{PATH}/test", data={"other": "boss@msp.example"}, headers=HTMX)

        page = text_of(answer.text)
        assert "<html" not in answer.text
        assert f"The mailbox {ADDRESS} is there." in page
        assert "The mailbox boss@msp.example is out of reach, as it should be." in page
        assert 'class="check-failed"' not in answer.text

    def test_what_is_wrong_is_told(self, admin: Browser, graph: FakeGraph, monkeypatch: pytest.MonkeyPatch) -> None:
        read_a_mailbox(monkeypatch, GRAPH_MAILBOX="nobody@msp.example")

        answer = admin.post(f"{PATH}/test", headers=HTMX)

        assert "Microsoft Graph knows no mailbox nobody@msp.example" in text_of(answer.text)
        assert 'class="check-skipped"' in answer.text

    def test_without_script_the_result_has_a_page_of_its_own(self, admin: Browser, graph: FakeGraph) -> None:
        page = admin.post(f"{PATH}/test", data={"other": "boss@msp.example"}).text

        assert "<html" in page
        assert "Passed" in page
        assert 'value="boss@msp.example"' in page

    def test_the_folders_that_are_read_are_tried(self, admin: Browser, graph: FakeGraph) -> None:
        a_folder(a_mailbox(), "Inbox/Gone", graph_id="AAMkGone")

        page = text_of(admin.post(f"{PATH}/test", headers=HTMX).text)

        assert "Folder Inbox/Gone The folder is not in the mailbox any more" in page

    def test_without_a_mailbox_it_says_so(self, admin: Browser) -> None:
        assert "GRAPH_MAILBOX is not set" in text_of(admin.post(f"{PATH}/test").text)


class TestFolders:
    def test_the_inbox_is_ticked_until_somebody_chooses(self, admin: Browser, graph: FakeGraph) -> None:
        graph.add_folder("Inbox/Backup")

        page = admin.get(f"{PATH}/folders").text

        assert re.findall(r'value="([^"]+)" autocomplete="off" checked', page) == ["inbox"]
        assert "Inbox/Backup" in page

    def test_the_chosen_folders_are_read_from_then_on(self, admin: Browser, graph: FakeGraph) -> None:
        folder = graph.add_folder("Inbox/Backup")

        answer = admin.post(f"{PATH}/folders", data={"folder": [folder.id, "inbox"]})

        assert answer.headers["location"] == PATH
        assert "2 folders will be read from now on." in admin.get(PATH).text
        assert read_paths() == ["Inbox", "Inbox/Backup"]
        [act] = acts("mail_folders.chosen")
        assert (act.before, act.after) == ({"folders": []}, {"folders": ["Inbox", "Inbox/Backup"]})

    def test_a_folder_that_is_left_and_chosen_again_goes_on_where_it_was(
        self, admin: Browser, graph: FakeGraph
    ) -> None:
        folder = graph.add_folder("Inbox/Backup")
        for chosen in (["inbox"], [folder.id], ["inbox"], ["inbox"]):
            admin.post(f"{PATH}/folders", data={"folder": chosen})

        with transaction() as db:
            assert [(each.path, each.active) for each in folder_states(db, ADDRESS)] == [
                ("Inbox", True),
                ("Inbox/Backup", False),
            ]
        assert len(acts("mail_folders.chosen")) == 3

    def test_a_folder_that_is_gone_is_shown_as_such_and_left_on_saving(self, admin: Browser, graph: FakeGraph) -> None:
        mailbox_id = a_mailbox()
        a_folder(mailbox_id)
        a_folder(mailbox_id, "Inbox/Gone", graph_id="AAMkGone")

        assert "Inbox/Gone not in the mailbox any more" in text_of(admin.get(f"{PATH}/folders").text)
        admin.post(f"{PATH}/folders", data={"folder": "inbox"})

        assert read_paths() == ["Inbox"]

    @pytest.mark.parametrize(
        "chosen, sentence",
        [
            ([], "Choose at least one folder"),
            (["inbox", "AAMkNothing"], "is not in the mailbox any more"),
            (["done"], "Imported mails are moved to Backupchecks"),
        ],
    )
    def test_what_cannot_be_chosen_is_explained(
        self, admin: Browser, graph: FakeGraph, chosen: list[str], sentence: str
    ) -> None:
        done = graph.add_folder("Backupchecks")

        data = {"folder": [done.id if each == "done" else each for each in chosen]}
        answer = admin.post(f"{PATH}/folders", data=data)

        assert answer.status_code == 422
        assert sentence in text_of(answer.text)
        assert read_paths() == []

    def test_trouble_with_graph_is_told_in_words(self, admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "No mailbox is set" in text_of(admin.get(f"{PATH}/folders").text)
        read_a_mailbox(monkeypatch)
        answer = admin.get(f"{PATH}/folders", headers=HTMX)

        assert "GRAPH_CLIENT_ID is not set" in text_of(answer.text)
        assert answer.status_code == 200  # htmx shows it where the folders would be
