"""The pages on which days are closed: for a customer, for some of its jobs, for one job."""

import re
from datetime import date, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from shared import clock
from shared.db.session import transaction
from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.schedules import ClosedDay
from tests import builders
from tests.http_api.client import Browser
from tests.http_api.lists import make_customer, make_job, rows, text_of
from tests.slot_builders import make_slot

ONE_DAY = timedelta(days=1)


def today() -> date:
    return clock.now().astimezone(ZoneInfo("Europe/Amsterdam")).date()


def stored() -> list[tuple[date, str, int | None]]:
    with transaction() as db:
        query = select(ClosedDay.day, ClosedDay.name, ClosedDay.job_id).order_by(ClosedDay.day, ClosedDay.job_id)
        return [(row[0], row[1], row[2]) for row in db.execute(query)]


def path_of(customer_id: int) -> str:
    return f"/customers/{customer_id}/closed-days"


def test_a_range_is_closed_and_shown_as_one_line(operator: Browser) -> None:
    oak, first = make_customer("Oak"), today() + ONE_DAY
    make_job("Nightly", oak)
    typed = {"first": first, "last": first + timedelta(days=4), "name": "Summer", "whose": "all"}

    answer = operator.post(path_of(oak), data=typed)

    assert answer.headers["location"] == path_of(oak)
    page = operator.get(path_of(oak))
    assert "Closed 5 days." in text_of(page.text)
    [row] = rows(page)
    assert "5 days Summer All jobs" in row
    assert len(stored()) == 5
    assert "Closed days 5 days to come" in text_of(operator.get(f"/customers/{oak}").text)


def test_chosen_jobs_are_closed_together(operator: Browser) -> None:
    oak = make_customer("Oak")
    chosen = [make_job(name, oak) for name in ("a", "b")]
    make_job("c", oak)

    operator.post(path_of(oak), data={"first": today(), "name": "Move", "whose": "some", "job": chosen})

    assert stored() == [(today(), "Move", job_id) for job_id in chosen]
    [row] = rows(operator.get(path_of(oak)))
    assert "now Move 2 jobs" in row


def test_without_a_ticked_job_nobody_is_closed_by_accident(operator: Browser) -> None:
    oak = make_customer("Oak")
    make_job("Nightly", oak)

    answer = operator.post(path_of(oak), data={"first": today(), "name": "Move", "whose": "some"})

    assert answer.status_code == 422
    assert "Tick the jobs that do not run" in text_of(answer.text)
    assert stored() == []


@pytest.mark.parametrize(
    "typed, says",
    [
        ({"first": "soon"}, "Say which day as YYYY-MM-DD."),
        ({"first": "2020-01-01"}, "more than a month ago"),
        ({"last": "2020-01-01"}, "more than a month ago"),
        ({"name": " "}, "Say why"),
        ({"whose": "some", "job": "999999"}, ""),
    ],
)
def test_what_does_not_fit_is_explained_and_stays_typed(operator: Browser, typed: dict[str, str], says: str) -> None:
    oak = make_customer("Oak")
    sent = {"first": str(today()), "last": "", "name": "Outing"} | typed

    answer = operator.post(path_of(oak), data=sent)

    assert answer.status_code == (422 if says else 404)
    assert says in text_of(answer.text)
    assert not says or f'value="{sent["first"]}"' in answer.text
    assert stored() == []


def test_days_that_are_closed_already_are_harmless(operator: Browser) -> None:
    oak = make_customer("Oak")
    for _ in range(2):
        operator.post(path_of(oak), data={"first": today(), "name": "Outing"})

    assert "These days were closed already." in text_of(operator.get(path_of(oak)).text)
    assert len(stored()) == 1


def test_a_range_is_removed_as_one(operator: Browser) -> None:
    oak = make_customer("Oak")
    operator.post(path_of(oak), data={"first": today(), "last": today() + ONE_DAY, "name": "Outing"})
    ids = re.findall(r'name="id" value="(\d+)"', operator.get(path_of(oak)).text)

    operator.post(f"{path_of(oak)}/remove", data={"id": ids})

    assert len(ids) == 2
    assert "No closed days." in text_of(operator.get(path_of(oak)).text)
    operator.post(f"{path_of(oak)}/remove", data={"id": ids})
    assert "These days were open already." in text_of(operator.get(path_of(oak)).text)


def test_missed_runs_that_remain_are_said_and_led_to(operator: Browser) -> None:
    oak, day = make_customer("Oak"), today() - ONE_DAY
    with transaction() as db:
        for name in ("a", "b"):
            job_id = builders.make_job(db, name, customer_id=oak)
            slot = make_slot(db, job_id, day, 1, state=SlotState.MISSED)
            slot.run_id = builders.make_run(db, job_id, status=Status.MISSED, run_at=slot.slot_at).id

    typed = {"first": day - ONE_DAY, "last": day + ONE_DAY, "name": "Outing"}
    operator.post(path_of(oak), data=typed)

    page = operator.get(path_of(oak)).text
    assert "2 missed runs of those days remain; review them" in text_of(page)
    [link] = re.findall(r'class="missed-left" href="([^"]+)"', page)
    assert len(rows(operator.get(unescape(link)))) == 2


def test_a_job_has_closed_days_of_its_own_beside_its_customers(operator: Browser) -> None:
    oak = make_customer("Oak")
    job_id, other = make_job("Nightly", oak), make_job("Other", oak)
    operator.post(path_of(oak), data={"first": today(), "name": "Everybody"})
    operator.post(f"/jobs/{other}/closed-days", data={"first": today(), "name": "Others"})
    operator.post(f"/jobs/{job_id}/closed-days", data={"first": today() + ONE_DAY, "name": "Mine"})

    page = operator.get(f"/jobs/{job_id}/closed-days")

    everybody, mine = rows(page)
    assert "Everybody All jobs of the customer" in everybody
    assert "Remove" not in everybody
    assert "Mine This job Remove" in mine
    assert f'href="/jobs/{job_id}/closed-days"' in operator.get(f"/jobs/{job_id}").text


def test_a_job_removes_only_its_own_days(operator: Browser) -> None:
    oak = make_customer("Oak")
    job_id = make_job("Nightly", oak)
    operator.post(path_of(oak), data={"first": today(), "name": "Everybody"})
    ids = re.findall(r'name="id" value="(\d+)"', operator.get(path_of(oak)).text)

    operator.post(f"/jobs/{job_id}/closed-days/remove", data={"id": ids})

    assert len(stored()) == 1


def test_holidays_are_a_proposal_that_is_ticked_and_then_closed(operator: Browser) -> None:
    oak, year = make_customer("Oak"), today().year + 1
    make_job("Nightly", oak)
    asked = {"country": "NL", "subdivision": "", "year": year}

    proposed = operator.get(f"{path_of(oak)}/holidays", params={"year": year}).text
    before = stored()
    operator.post(f"{path_of(oak)}/holidays", data=asked | {"day": [f"{year}-12-25", f"{year}-01-01"], "whose": "all"})

    assert "Christmas Day" in proposed
    assert '<option value="NL" selected>Netherlands</option>' in proposed
    assert f'name="day" value="{year}-12-25" autocomplete="off" checked' in proposed
    assert before == []
    assert [day for day, _, _ in stored()] == [date(year, 1, 1), date(year, 12, 25)]
    again = operator.get(f"{path_of(oak)}/holidays", params={"year": year}).text
    assert f'name="day" value="{year}-12-25" autocomplete="off">' in again
    assert "Christmas Day closed already" in text_of(again)


def test_the_country_is_remembered_with_its_parts(operator: Browser) -> None:
    oak, year = make_customer("Oak"), today().year + 1
    sent = {"country": "DE", "subdivision": "BY", "year": year, "day": [f"{year}-01-06"], "whose": "all"}

    operator.post(f"{path_of(oak)}/holidays", data=sent)

    assert stored() == [(date(year, 1, 6), "Epiphany", None)]
    page = operator.get(f"{path_of(oak)}/holidays").text
    assert '<option value="DE" selected>Germany</option>' in page
    assert '<option value="BY">Bayern</option>' in page


@pytest.mark.parametrize(
    "asked, says",
    [
        ({"country": "XX"}, "No holidays are known of this country."),
        ({"year": "1999"}, "A year from"),
        ({"year": "soon"}, "A year from"),
    ],
)
def test_holidays_of_nowhere_are_explained(operator: Browser, asked: dict[str, str], says: str) -> None:
    path = f"{path_of(make_customer('Oak'))}/holidays"
    for answer in (
        operator.get(path, params=asked),
        operator.post(path, data={"country": "NL", "year": "1999"} | asked),
    ):
        assert answer.status_code == 422
        assert says in text_of(answer.text)


def test_a_part_of_another_country_is_forgotten(operator: Browser) -> None:
    path = f"{path_of(make_customer('Oak'))}/holidays"

    assert operator.get(path, params={"country": "NL", "subdivision": "BY"}).status_code == 200


def test_viewers_see_closed_days_and_change_none(viewer: Browser) -> None:
    oak = make_customer("Oak")
    job_id = make_job("Nightly", oak)

    for path in (path_of(oak), f"/jobs/{job_id}/closed-days"):
        page = viewer.get(path)
        assert page.status_code == 200
        assert "<form" not in page.text.partition("<main")[2].partition("</main>")[0]
        assert viewer.post(path, data={"first": today(), "name": "Outing"}).status_code == 403
        assert viewer.post(f"{path}/remove", data={"id": 1}).status_code == 403
    assert viewer.get(f"{path_of(oak)}/holidays").status_code == 403


def test_nobody_closes_days_of_what_is_gone(operator: Browser) -> None:
    for path in ("/customers/9/closed-days", "/jobs/9/closed-days", "/customers/9/closed-days/holidays"):
        assert operator.get(path).status_code == 404
