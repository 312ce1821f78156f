"""Settings, notifications: targets that go in and never come out, and the alarms there were."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from functions.http_api.csrf import HEADER
from shared import clock
from shared.db.session import transaction
from shared.domain.alarm import AlarmKind, TargetKind
from shared.models.audit import AuditEntry
from shared.models.pipeline import Alarm, AlarmDelivery, AlarmTarget
from shared.services.secret_box import Purpose, open_sealed, seal
from shared.settings import settings
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, rows, text_of
from tests.receiver import Answer, Receiver, receiving

PAGE = "/manage/settings/notifications"
ADDRESS = "https://hooks.oak.example/x?sig=hush"
pytestmark = pytest.mark.usefixtures("secret_key")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def targets() -> list[AlarmTarget]:
    with transaction() as db:
        return list(db.scalars(select(AlarmTarget).order_by(AlarmTarget.id)))


def make_target(
    name: str = "On call", *, kind: TargetKind = TargetKind.WEBHOOK, address: str = ADDRESS, active: bool = True
) -> int:
    with transaction() as db:
        sealed = seal(address, Purpose.ALARM_TARGET, key=settings().secret_key)
        target = AlarmTarget(name=name, kind=kind, address=sealed, active=active)
        db.add(target)
        db.flush()
        return target.id


def make_alarm(subject: str = "mail-parse", *, hours_ago: float = 1, ended: bool = False) -> int:
    opened_at = clock.now() - timedelta(hours=hours_ago)
    with transaction() as db:
        alarm = Alarm(
            kind=AlarmKind.DEAD_LETTERS,
            subject=subject,
            message=f"1 message of the queue {subject} failed too often.",
            opened_at=opened_at,
            closed_at=opened_at + timedelta(minutes=30) if ended else None,
        )
        db.add(alarm)
        db.flush()
        return alarm.id


def tell(alarm_id: int, target_id: int, *, attempts: int = 1, sent: bool = True, error: str = "") -> None:
    now = clock.now()
    with transaction() as db:
        db.add(
            AlarmDelivery(
                alarm_id=alarm_id,
                target_id=target_id,
                due_at=now,
                attempts=attempts,
                sent_at=now if sent else None,
                last_error=error,
            )
        )


def test_an_empty_page_says_why_and_what_next(admin: Browser) -> None:
    page = text_of(admin.get(PAGE).text)

    assert "Nobody is told yet." in page
    assert "None so far." in page


def test_an_added_target_is_sealed_listed_and_never_shown_again(admin: Browser) -> None:
    answer = admin.post(PAGE, data={"name": "  On   call ", "kind": "webhook", "address": f" {ADDRESS} "})

    page = admin.get(answer.headers["location"]).text
    assert "Added On call. Send a test to see whether it arrives." in page
    assert [row.split(" Send")[0] for row in rows(admin.get(PAGE))] == ["On call Webhook On never"]
    [target] = targets()
    assert open_sealed(target.address, Purpose.ALARM_TARGET, key=settings().secret_key) == ADDRESS
    assert b"hush" not in target.address
    assert "hush" not in page + admin.get(f"{PAGE}/{target.id}/delete").text


def test_the_audit_log_tells_of_it_without_the_address(admin: Browser) -> None:
    admin.post(PAGE, data={"name": "On call", "kind": "webhook", "address": ADDRESS})
    [target] = targets()
    for act in ("switch-off", "switch-on", "delete"):
        admin.post(f"{PAGE}/{target.id}/{act}")

    with transaction() as db:
        acts = list(db.scalars(select(AuditEntry).where(AuditEntry.subject_type == "alarm_target")))
    assert [act.action.partition(".")[2] for act in acts] == ["added", "switched_off", "switched_on", "deleted"]
    assert acts[0].after == {"name": "On call", "kind": "webhook", "active": True, "secret_address": "•••"}
    assert all("hush" not in f"{act.before} {act.after}" for act in acts)


@pytest.mark.parametrize(
    "fields, status, sentence",
    [
        ({"name": " "}, 422, "A target needs a name."),
        ({"name": "x" * 101}, 422, "at most 100 characters"),
        ({"name": "Nul\x00"}, 422, "at most 100 characters"),
        ({"name": "ON CALL"}, 409, "There is a target called “ON CALL” already."),
        ({"kind": "pigeon"}, 422, "Choose what kind of target it is."),
        ({"kind": ""}, 422, "Choose what kind of target it is."),
        ({"address": ""}, 422, "A target needs an address."),
        ({"address": "http://hooks.oak.example/x"}, 422, "The address must begin with https://."),
        ({"address": "https://me:secret@oak.example/"}, 422, "must not hold a user name"),
    ],
)
def test_what_cannot_be_added_is_explained_and_stays_typed(
    admin: Browser, fields: dict[str, str], status: int, sentence: str
) -> None:
    make_target("On call")

    answer = admin.post(PAGE, data={"name": "New", "kind": "teams", "address": ADDRESS, **fields})

    assert (answer.status_code, sentence in text_of(answer.text)) == (status, True)
    assert 'class="field-error"' in answer.text
    assert fields.get("name", 'value="New"').replace("\x00", "") in answer.text
    assert len(targets()) == 1


def test_without_a_secret_key_nothing_is_stored(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_SECRET_KEY")
    settings.cache_clear()

    answer = admin.post(PAGE, data={"name": "New", "kind": "teams", "address": ADDRESS})

    assert (answer.status_code, "APP_SECRET_KEY is not set" in answer.text) == (422, True)
    assert targets() == []


def test_there_are_at_most_fifty_targets(admin: Browser) -> None:
    for number in range(50):
        make_target(f"Target {number}")

    answer = admin.post(PAGE, data={"name": "One more", "kind": "webhook", "address": ADDRESS})

    assert (answer.status_code, "There are 50 targets already." in answer.text) == (409, True)


def test_a_test_says_whether_it_arrived(admin: Browser, receiver: Receiver) -> None:
    target_id = make_target(address=receiver.url())
    receiver.answers = [Answer(200), Answer(500)]

    toasts = []
    for _ in range(2):
        admin.post(f"{PAGE}/{target_id}/test")
        toasts.append("The test" + text_of(admin.get(PAGE).text).rpartition("The test")[2])

    assert toasts == [
        "The test reached On call.",
        "The test did not reach On call. It answered with status 500.",
    ]
    assert receiver.received[0].json["event"] == "test"
    assert "It answered with status 500." in rows(admin.get(PAGE))[0]


def test_a_test_of_a_dead_mans_switch_is_a_ping(admin: Browser, receiver: Receiver) -> None:
    admin.post(f"{PAGE}/{make_target(kind=TargetKind.DEAD_MAN, address=receiver.url())}/test")

    assert [each.method for each in receiver.received] == ["GET"]


def test_a_changed_key_is_told_and_the_page_still_works(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    target_id = make_target()
    monkeypatch.setenv("APP_SECRET_KEY", "another key, by mistake")
    settings.cache_clear()

    admin.post(f"{PAGE}/{target_id}/test")

    assert "APP_SECRET_KEY has changed since" in rows(admin.get(PAGE))[0]


def test_switching_off_can_be_undone(admin: Browser) -> None:
    target_id = make_target()

    admin.post(f"{PAGE}/{target_id}/switch-off")
    page = admin.get(PAGE).text

    assert "Every target is switched off" in text_of(page)
    assert f'action="{PAGE}/{target_id}/switch-on"' in page.partition('id="toasts"')[2]
    admin.post(f"{PAGE}/{target_id}/switch-on")
    assert targets()[0].active


def test_deleting_asks_first_and_takes_what_waited_along(admin: Browser) -> None:
    target_id = make_target()
    tell(make_alarm(), target_id, sent=False)

    assert "not even the 1 message that still waits" in text_of(admin.get(f"{PAGE}/{target_id}/delete").text)
    admin.post(f"{PAGE}/{target_id}/delete")

    assert "Deleted On call." in admin.get(PAGE).text
    assert targets() == []


def test_acts_on_a_target_that_is_gone_say_so(admin: Browser) -> None:
    assert admin.get(f"{PAGE}/4711/delete").status_code == 404
    for act in ("test", "switch-on", "switch-off", "delete"):
        assert admin.post(f"{PAGE}/4711/{act}").status_code == 404


def test_open_alarms_come_first_with_how_their_telling_went(admin: Browser) -> None:
    one, two, three = (make_target(name) for name in ("One", "Two", "Three"))
    make_alarm("mail-wake", hours_ago=1, ended=True)
    open_one = make_alarm("mail-parse", hours_ago=9)
    tell(open_one, one)
    tell(open_one, two, sent=False, attempts=3, error="No connection.")
    tell(open_one, three, sent=False, attempts=10, error="No connection.")

    page = admin.get(PAGE)

    first, second = rows(page)[3:]
    assert first.startswith("Open Work was given up mail-parse 1 message of the queue mail-parse failed too often.")
    assert first.endswith("– 1 sent, 1 to send , 1 given up")
    assert second.startswith("Ended")
    assert second.endswith("nobody")
    assert "1 open alarm · 1 ended" in text_of(page.text)


def test_sixty_alarms_take_two_pages_and_as_many_statements_as_one(admin: Browser) -> None:
    counts = []
    for number in range(60):
        tell(make_alarm(f"queue {number}", hours_ago=number, ended=True), make_target(f"T {number}"))
        if number in (0, 59):
            with counted_statements() as asked:
                admin.get(PAGE)
            counts.append(len(asked))

    assert counts[0] == counts[1]
    assert "1–50 of 60" in text_of(admin.get(PAGE).text)
    assert "queue 59" in text_of(admin.get(f"{PAGE}?page=2").text)
    assert "51–60 of 60" in text_of(admin.get(f"{PAGE}?page=99").text)


def test_names_are_text_and_never_markup(admin: Browser) -> None:
    target_id = make_target('<b>Oak</b>" autofocus="')

    for path in (PAGE, f"{PAGE}/{target_id}/delete"):
        assert "<b>Oak" not in admin.get(path).text
        assert '" autofocus="' not in admin.get(path).text


def test_only_administrators_and_only_with_the_token(admin: Browser, operator: Browser, receiver: Receiver) -> None:
    target_id = make_target(address=receiver.url())
    del admin.headers[HEADER]

    assert admin.post(f"{PAGE}/{target_id}/test").status_code == 403
    assert operator.get(PAGE).status_code == 403
    assert operator.post(f"{PAGE}/{target_id}/test").status_code == 403
    assert receiver.received == []
