"""Settings, schedules: each number with its range, what was changed, and what follows from it."""

from datetime import date, timedelta

import pytest

from shared import clock
from shared.domain.status import Status
from tests.http_api.client import Browser
from tests.http_api.lists import make_job, make_run, text_of
from tests.http_api.mail_world import acts, stored_settings

PATH = "/manage/settings/schedules"
AS_IT_IS = {
    "grace_floor_minutes": "60",
    "missed_look_back_days": "14",
    "overdue_days": "3",
    "stopped_after_days": "14",
    "silence_factor": "3",
    "silence_min_days": "3",
    "silence_max_days": "35",
    "go_live_on": "",
}


def test_the_page_shows_what_is_in_force_beside_the_other_settings(admin: Browser) -> None:
    page = admin.get(PATH).text

    for name, value in AS_IT_IS.items():
        assert f'name="{name}"' in page
        assert not value or f'id="{name}" name="{name}" value="{value}"' in page
    assert 'href="/manage/settings/schedules" aria-current="page"' in page


def test_a_change_is_stored_audited_and_followed_by_what_it_means(admin: Browser) -> None:
    answer = admin.post(PATH, data=AS_IT_IS | {"grace_floor_minutes": "90", "go_live_on": "2026-01-05"})

    shown = text_of(admin.get(answer.headers["location"]).text)
    assert answer.status_code == 303
    assert "Settings saved." in shown
    assert "Jobs take the new grace over" in shown
    assert "Runs before that day are history" in shown
    assert "maximum silence of each job is worked out anew" not in shown
    assert (stored_settings().grace_floor_minutes, stored_settings().go_live_on) == (90, date(2026, 1, 5))
    [act] = acts("settings.changed")
    assert act.before == {"grace_floor_minutes": 60, "go_live_on": None}
    assert act.after == {"grace_floor_minutes": 90, "go_live_on": "2026-01-05"}


def test_a_go_live_date_takes_older_runs_out_of_the_reviews_and_gives_them_back(admin: Browser) -> None:
    job_id = make_job("Nightly")
    for days_ago in (1, 40, 41):
        make_run(job_id, Status.FAILED, days_ago=days_ago)
    live = (clock.now() - timedelta(days=10)).date().isoformat()

    after = text_of(admin.get(admin.post(PATH, data=AS_IT_IS | {"go_live_on": live}).headers["location"]).text)
    back = text_of(admin.get(admin.post(PATH, data=AS_IT_IS).headers["location"]).text)

    assert "Settings saved. 2 runs before going live left the reviews." in after
    assert "Settings saved. 2 runs came back to them." in back


def test_saving_what_is_there_changes_nothing_and_says_so(admin: Browser) -> None:
    assert admin.post(PATH, data=AS_IT_IS).headers["location"] == PATH
    assert "Nothing was changed." in admin.get(PATH).text
    assert acts("settings.changed") == []


@pytest.mark.parametrize(
    "field, typed, says",
    [
        ("grace_floor_minutes", "0", "A whole number of minutes from 1 to 720"),
        ("missed_look_back_days", "91", "A whole number of days from 1 to 90"),
        ("overdue_days", "soon", "A whole number of days from 1 to 90"),
        ("stopped_after_days", "366", "A whole number of days from 1 to 365"),
        ("silence_factor", "21", "A whole number of gaps from 1 to 20"),
        ("silence_max_days", "2", "The most cannot be less than the least."),
        ("go_live_on", "2026-02-30", "Say which day as YYYY-MM-DD"),
        ("go_live_on", "1999-12-31", "A day from 2000 on"),
        ("go_live_on", "2199-12-31", "at most a year ahead"),
    ],
)
def test_what_does_not_fit_is_explained_at_its_field_and_stays_typed(
    admin: Browser, field: str, typed: str, says: str
) -> None:
    answer = admin.post(PATH, data=AS_IT_IS | {field: typed})

    assert answer.status_code == 422
    assert says in text_of(answer.text)
    assert f'value="{typed}"' in answer.text
    assert acts("settings.changed") == []


def test_an_unknown_consequence_in_the_address_says_nothing(admin: Browser) -> None:
    answer = admin.get(PATH, params={"changed": "nonsense,<b>"})

    assert answer.status_code == 200
    assert "nonsense" not in text_of(answer.text)


def test_only_administrators_change_how_jobs_are_watched(operator: Browser) -> None:
    assert operator.get(PATH).status_code == 403
    assert operator.post(PATH, data=AS_IT_IS).status_code == 403
