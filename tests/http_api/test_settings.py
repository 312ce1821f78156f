from collections.abc import Callable

from shared.domain.permissions import Role
from tests.http_api.client import Browser
from tests.http_api.inbox_world import report
from tests.http_api.lists import text_of
from tests.http_api.mail_world import acts, stored_settings

PATH = "/manage/settings"


def test_the_tabs_lead_to_the_settings_that_there_are(admin: Browser) -> None:
    page = admin.get(PATH).text

    for path in (
        "/manage/settings/mail",
        "/manage/settings/schedules",
        "/manage/settings/notifications",
        "/manage/pipeline",
        "/manage/dead-letters",
        "/manage/errands",
    ):
        assert f'href="{path}"' in page
        assert admin.get(path).status_code == 200
    assert "/manage/users" not in page


def test_a_new_time_zone_is_stored_audited_and_seen_on_the_next_page(
    admin: Browser, signed_in: Callable[[Role], Browser]
) -> None:
    viewer = signed_in(Role.VIEWER)
    mail_id = report()
    assert "(Europe/Amsterdam)" in viewer.get(f"/mails/{mail_id}").text

    answer = admin.post(PATH, data={"ui_time_zone": " America/New_York "})

    assert answer.headers["location"] == PATH
    assert "Settings saved." in admin.get(PATH).text
    assert "(America/New_York)" in viewer.get(f"/mails/{mail_id}").text
    [act] = acts("settings.changed")
    assert (act.before, act.after) == ({"ui_time_zone": "Europe/Amsterdam"}, {"ui_time_zone": "America/New_York"})


def test_a_zone_that_is_none_is_explained_and_stays_typed(admin: Browser) -> None:
    answer = admin.post(PATH, data={"ui_time_zone": "Mars/Base"})

    assert answer.status_code == 422
    assert "“Mars/Base” is no time zone" in text_of(answer.text)
    assert 'value="Mars/Base"' in answer.text
    assert stored_settings().ui_time_zone == "Europe/Amsterdam"


def test_saving_what_is_there_changes_nothing_and_says_so(admin: Browser) -> None:
    admin.post(PATH, data={"ui_time_zone": "Europe/Amsterdam"})

    assert "Nothing was changed." in admin.get(PATH).text
    assert acts("settings.changed") == []


def test_a_sandbox_marks_every_page_for_everybody(admin: Browser, signed_in: Callable[[Role], Browser]) -> None:
    admin.post(PATH, data={"ui_time_zone": "Europe/Amsterdam", "is_sandbox": "true"})

    for browser in (admin, *(signed_in(role) for role in Role if role is not Role.ADMIN)):
        assert "This is a sandbox" in browser.get("/account").text
    assert 'name="is_sandbox" value="true" checked' in admin.get(PATH).text
    admin.post(PATH, data={"ui_time_zone": "Europe/Amsterdam"})
    assert "This is a sandbox:" not in admin.get(PATH).text
    assert [act.after for act in acts("settings.changed")] == [{"is_sandbox": True}, {"is_sandbox": False}]


def test_only_administrators_change_settings(operator: Browser) -> None:
    assert operator.get(PATH).status_code == 403
    assert operator.post(PATH, data={"ui_time_zone": "Europe/London"}).status_code == 403
    assert stored_settings().ui_time_zone == "Europe/Amsterdam"
