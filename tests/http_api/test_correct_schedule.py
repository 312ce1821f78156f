"""Operators correct a schedule. Each page shows first what would change; what was typed stays until it is saved."""

import re

import pytest
from httpx import Response
from sqlalchemy import text

from shared.db.session import transaction
from shared.domain.reading import Kind
from shared.domain.slot_state import ScheduleMode
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, make_job
from tests.http_api.schedule_world import (
    ALL_DAYS,
    ZONE,
    a_daily_job,
    acts,
    change,
    hidden,
    night,
    propose,
    said,
    save,
    schedule_of,
    times_to_come,
)

DAILY_AT_EIGHT = {
    "days": "daily",
    "every_weeks": "2",
    "anchor": "",
    "month_day": "1",
    "nth": "1",
    "weekday": "0",
    "pace": "at",
    "times": "20:00",
    "every_minutes": "60",
    "first": "00:00",
    "last": "23:00",
    "grace": "30",
}
DECISIONS = ["accept", "pin", "reject", "relearn", "sleep", "wake"]


def next_of(answer: Response) -> list[list[str]]:
    """Return the next slots before and after, as `22:00`."""
    lists = re.findall(r'<ol class="next-slots">.*?</ol>', answer.text, re.DOTALL)
    return [re.findall(r">\w+ \d+ \w+ (\d\d:\d\d)</time>", each) for each in lists]


def test_the_form_begins_with_what_is_in_force(operator: Browser) -> None:
    page = operator.get(f"/jobs/{a_daily_job()}/schedule/edit").text

    assert re.search(r'name="times" type="text" value="22:00"', page)
    assert '<option value="daily" selected>' in page
    assert re.search(r'name="grace" type="text" value="60"', page)


def test_a_preview_shows_the_next_slots_and_what_the_schedule_would_have_raised(operator: Browser) -> None:
    job = a_daily_job(silent=(4, 9))

    preview = operator.post(f"/jobs/{job}/schedule/edit/preview", data=DAILY_AT_EIGHT | {"times": "21:30"})

    missed = " , ".join(f"{night(days).astimezone(ZONE):%a %-d %b} 21:30" for days in (9, 4))
    assert f"would have raised 2 missed runs ( {missed} )" in said(preview)
    assert "28 runs came in time" in said(preview)
    before, after = next_of(preview)
    assert (set(before), after[1:]) == ({"22:00"}, ["21:30"] * 4)
    assert "daily at 22:00 daily at 21:30" in said(preview)
    assert schedule_of(job).mode is ScheduleMode.LEARNED


def test_saving_a_preview_puts_the_schedule_in_force(operator: Browser) -> None:
    job = a_daily_job()

    saved = save(operator, operator.post(f"/jobs/{job}/schedule/edit/preview", data=DAILY_AT_EIGHT))

    assert saved.headers["location"] == f"/jobs/{job}#schedule"
    assert times_to_come(job) == {"20:00"}
    page = said(operator.get(f"/jobs/{job}"))
    assert "daily at 20:00" in page
    assert "pinned by the operator on" in page
    assert "30 minutes of grace" in page
    assert acts() == ["schedule.pinned"]


def test_a_schedule_that_expects_less_is_warned_of(operator: Browser) -> None:
    job = a_daily_job()

    preview = operator.post(f"/jobs/{job}/schedule/edit/preview", data=DAILY_AT_EIGHT | {"days": "workdays"})

    assert "Fewer runs are expected: 20 in four weeks instead of 28." in said(preview)
    assert "A silent Saturday or Sunday will no longer be reported." in said(preview)


def test_one_that_expects_as_much_is_not(operator: Browser) -> None:
    preview = operator.post(f"/jobs/{a_daily_job()}/schedule/edit/preview", data=DAILY_AT_EIGHT)

    assert "note-warning" not in preview.text


def test_a_grace_that_is_cut_is_said(operator: Browser) -> None:
    twice = DAILY_AT_EIGHT | {"times": "08:00, 10:00", "grace": "90"}

    preview = operator.post(f"/jobs/{a_daily_job()}/schedule/edit/preview", data=twice)

    assert "60 to 90 minutes 90 were asked for; half the way to the next time is the most" in said(preview)


@pytest.mark.parametrize(
    "typed, words, kept",
    [
        ({"times": "eight"}, "“eight” is no time; write it like 22:00.", 'value="eight"'),
        ({"times": ""}, "Say at what time it runs", '<option value="daily" selected>'),
        ({"grace": "a while"}, "Grace in minutes is a number from 1 to 720.", 'value="a while"'),
        ({"days": "weekly"}, "Tick at least one day.", '<option value="weekly" selected>'),
        ({"days": "month_day", "month_day": "40"}, "A day of the month is a number from 1 to 31.", 'value="40"'),
    ],
)
@pytest.mark.parametrize("step", ["preview", "save"])
def test_what_cannot_be_understood_is_said_and_stays(
    operator: Browser, typed: dict[str, str], words: str, kept: str, step: str
) -> None:
    job = a_daily_job(nights=5)

    answer = operator.post(f"/jobs/{job}/schedule/edit/{step}", data=DAILY_AT_EIGHT | typed)

    assert answer.status_code == 422
    assert words in said(answer)
    assert kept in answer.text
    assert schedule_of(job).mode is ScheduleMode.LEARNED


def test_the_form_can_be_taken_up_again_from_the_preview(operator: Browser) -> None:
    job = a_daily_job()
    ticked = DAILY_AT_EIGHT | {"days": "weekly", "weekdays": ["0-1", "0-4"], "times": "<06:00>, 20:00"}
    preview = operator.post(f"/jobs/{job}/schedule/edit/preview", data=ticked | {"times": "06:00/45, 20:00"})

    form = operator.post(f"/jobs/{job}/schedule/edit", data=hidden(preview)).text

    assert 'value="06:00/45, 20:00"' in form
    assert re.findall(r'value="(0-\d)" checked', form) == ["0-1", "0-4"]
    assert "&lt;06:00&gt;" in operator.post(f"/jobs/{job}/schedule/edit", data=ticked).text


def test_other_days_at_other_times_are_a_part_of_their_own(operator: Browser) -> None:
    job = a_daily_job()

    more = operator.post(f"/jobs/{job}/schedule/edit", data=DAILY_AT_EIGHT | {"more": "add"}).text
    two = {name: [value, value] for name, value in DAILY_AT_EIGHT.items() if name != "grace"}
    two |= {"days": ["workdays", "weekly"], "times": ["20:00", "10:00"], "weekdays": ["1-5"], "grace": ["30"]}
    preview = operator.post(f"/jobs/{job}/schedule/edit/preview", data=two)
    less = operator.post(f"/jobs/{job}/schedule/edit", data=two | {"more": ["0"]}).text

    assert more.count('name="times"') == 2
    assert "Sat at 10:00; Mon–Fri at 20:00" in said(preview)
    assert save(operator, preview).status_code == 303
    assert re.findall(r'name="times" type="text" value="([^"]*)"', less) == ["10:00"]


def test_who_is_slower_sees_what_his_change_means_now_and_can_save_it_then(operator: Browser) -> None:
    job = a_daily_job()
    mine = operator.post(f"/jobs/{job}/schedule/edit/preview", data=DAILY_AT_EIGHT)
    save(operator, operator.post(f"/jobs/{job}/schedule/edit/preview", data=DAILY_AT_EIGHT | {"times": "19:00"}))

    late = save(operator, mine)

    assert late.status_code == 409
    assert "changed in the meantime" in said(late)
    assert "daily at 19:00 daily at 20:00" in said(late)
    assert save(operator, late).status_code == 303
    assert times_to_come(job) == {"20:00"}


def test_a_proposal_says_what_would_no_longer_be_reported(operator: Browser) -> None:
    job = a_daily_job()
    propose(job, ALL_DAYS[:5])

    page = operator.get(f"/jobs/{job}")

    assert "Lately it looks like Mon–Fri at 22:00." in said(page)
    assert "A silent Saturday or Sunday will no longer be reported." in said(page)
    assert f"/jobs/{job}/schedule/accept" in page.text


def test_a_proposal_is_accepted_after_its_preview(operator: Browser) -> None:
    job = a_daily_job()
    propose(job, ALL_DAYS[:5])

    preview = operator.get(f"/jobs/{job}/schedule/accept")
    save(operator, preview)

    assert "A silent Saturday or Sunday" in said(preview)
    page = said(operator.get(f"/jobs/{job}"))
    assert "Mon–Fri at 22:00" in page
    assert "a proposal was accepted" in page
    assert "Lately it looks like" not in page


def test_a_declined_proposal_leaves_the_page(operator: Browser) -> None:
    job = a_daily_job()
    propose(job, ALL_DAYS[:5])
    version = hidden(operator.get(f"/jobs/{job}/schedule/accept"))["version"]

    operator.post(f"/jobs/{job}/schedule/decline", data={"version": version})

    page = said(operator.get(f"/jobs/{job}"))
    assert "Lately it looks like" not in page
    assert "daily at 22:00" in page
    assert acts() == ["schedule.declined"]


def test_a_rejected_schedule_is_watched_by_its_silence_and_can_be_learned_again(operator: Browser) -> None:
    job = a_daily_job()

    preview = operator.get(f"/jobs/{job}/schedule/reject")
    save(operator, preview)
    rejected = said(operator.get(f"/jobs/{job}"))
    save(operator, operator.get(f"/jobs/{job}/schedule/relearn"))

    assert "No run is expected at any time any more." in said(preview)
    assert "No regular times: reported after 3 d of silence" in said(preview)
    assert "Rejected: no regular times. Reported as missed if nothing comes until" in rejected
    assert "rejected by the operator on" in rejected
    assert "daily at 22:00" in said(operator.get(f"/jobs/{job}"))
    assert acts() == ["schedule.rejected", "schedule.relearned"]


def test_what_is_pinned_keeps_its_times(operator: Browser) -> None:
    job = a_daily_job()

    save(operator, operator.get(f"/jobs/{job}/schedule/pin"))

    page = operator.get(f"/jobs/{job}")
    assert "pinned by the operator on" in said(page)
    assert "schedule/pin" not in page.text


def test_a_device_that_sleeps_has_no_slots(operator: Browser) -> None:
    job = a_daily_job()

    preview = operator.get(f"/jobs/{job}/schedule/sleep")
    save(operator, preview)
    page = said(operator.get(f"/jobs/{job}"))
    save(operator, operator.get(f"/jobs/{job}/schedule/wake"))

    assert "A device that sleeps has no slots to try." in said(preview)
    assert "No run is expected at any time any more." in said(preview)
    assert "A device that sleeps: no slots. Reported after 3 days without a good backup." in page
    assert schedule_of(job).sleeps is False


@pytest.mark.parametrize("typed, shown", [("45", "45 minutes of grace"), ("", "60 minutes of grace")])
def test_an_own_grace_is_set_and_taken_away(operator: Browser, typed: str, shown: str) -> None:
    job = a_daily_job()
    change(job, grace_minutes=20)

    save(operator, operator.post(f"/jobs/{job}/schedule/grace/preview", data={"minutes": typed}))

    assert shown in said(operator.get(f"/jobs/{job}"))


@pytest.mark.parametrize("typed", ["0", "721", "an hour", "²", "-5", "1e2"])
@pytest.mark.parametrize("step", ["preview", "save"])
def test_a_grace_that_is_none_stays_in_its_field(operator: Browser, typed: str, step: str) -> None:
    answer = operator.post(f"/jobs/{a_daily_job(nights=5)}/schedule/grace/{step}", data={"minutes": typed})

    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text
    assert "from 1 to 720" in said(answer)


@pytest.mark.parametrize("decision", ["accept", "relearn", "wake"])
def test_what_is_so_already_is_said_instead_of_previewed(operator: Browser, decision: str) -> None:
    job = a_daily_job(nights=5)

    assert operator.get(f"/jobs/{job}/schedule/{decision}").status_code == 409
    assert operator.post(f"/jobs/{job}/schedule/{decision}").status_code == 409


@pytest.mark.parametrize("path", [*DECISIONS, "edit", "grace", "pause"])
def test_a_job_that_is_gone_is_said_so(operator: Browser, path: str) -> None:
    assert operator.get(f"/jobs/4711/schedule/{path}").status_code == 404


@pytest.mark.parametrize(
    "path", [*DECISIONS, "decline", "edit", "edit/preview", "edit/save", "grace/save", "pause/save", "resume"]
)
def test_a_viewer_corrects_nothing(viewer: Browser, path: str) -> None:
    assert viewer.post(f"/jobs/{a_daily_job(nights=5)}/schedule/{path}").status_code == 403


def test_who_may_not_correct_sees_no_buttons(viewer: Browser, operator: Browser) -> None:
    job = a_daily_job()
    propose(job, ALL_DAYS[:5])

    assert "/schedule/" not in viewer.get(f"/jobs/{job}").text
    assert "/schedule/" in operator.get(f"/jobs/{job}").text


@pytest.mark.parametrize("kind", [Kind.INFORMATIONAL, Kind.ALERT_ONLY])
def test_what_is_not_watched_by_time_offers_no_schedule(operator: Browser, kind: Kind) -> None:
    job = make_job(kind=kind)

    assert "/schedule/" not in operator.get(f"/jobs/{job}").text
    assert operator.post(f"/jobs/{job}/schedule/edit/save", data=DAILY_AT_EIGHT).status_code == 409


def test_a_job_that_nobody_looked_at_can_be_given_a_schedule(operator: Browser) -> None:
    job = make_job()

    save(operator, operator.post(f"/jobs/{job}/schedule/edit/preview", data=DAILY_AT_EIGHT))

    assert "daily at 20:00" in said(operator.get(f"/jobs/{job}"))


def test_the_page_asks_as_often_whatever_the_history(viewer: Browser) -> None:
    short, long = a_daily_job(nights=20, name="short"), a_daily_job(nights=120, name="long")
    asked = []
    for job in (short, long):
        with counted_statements() as statements:
            viewer.get(f"/jobs/{job}")
        asked.append(len(statements))

    assert asked[0] == asked[1] <= 30


def test_a_lane_that_cannot_be_written_is_still_shown(operator: Browser) -> None:
    """A learned schedule may have more to it than a person would write; the form takes it as it is."""
    job = a_daily_job()
    with transaction() as db:
        db.execute(
            text(
                "UPDATE job_schedules SET lanes = jsonb_build_array("
                'lanes->0 || \'{"minute": -12.5}\', lanes->0 || \'{"minute": 700.25, "grace": 33}\')'
            )
        )

    page = operator.get(f"/jobs/{job}/schedule/edit").text

    assert re.findall(r'name="times" type="text" value="([^"]*)"', page) == ["11:40/33", "23:48"]
