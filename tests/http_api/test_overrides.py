"""The pages of overrides: written with a preview, ended, extended, deleted, each by whom it may."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from shared import clock
from shared.db.session import transaction
from shared.domain.permissions import Role
from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.models.overrides import Override
from tests import builders
from tests.builders import make_customer, make_job
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import counted_statements, rows, text_of
from tests.override_builders import DISK, make_override, make_told_run

WARNING, FAILED = Status.WARNING, Status.FAILED
DAY = timedelta(days=1)


def a_job(customer: str = "Oak BV", name: str = "Nightly") -> int:
    with transaction() as db:
        return make_job(db, name, customer_id=make_customer(db, customer), origin=f"{customer} {name}")


def a_run(job_id: int, *, days_ago: int = 1, told: dict[str, tuple[Status, str]] | None = None) -> int:
    with transaction() as db:
        return make_told_run(db, job_id, told, run_at=clock.now() - days_ago * DAY).id


def an_override(job_id: int | None = None, *, days_ago: int = 0, **typed: object) -> int:
    with transaction() as db:
        actor = builders.make_user(db, role=Role.ADMIN)
        about = {"job_id": job_id} if job_id else {}
        added = make_override(db, actor, now=clock.now() - days_ago * DAY, **about, **typed)
        return added.override_id


def form_of(page: str) -> dict[str, str]:
    """Return what a browser would send of the first form for an override in a page."""
    form = page[page.index('action="/overrides') :].partition("</form>")[0]
    inputs = re.findall(r"<input[^>]*>", form)
    selects = re.findall(r'<select[^>]*name="([^"]*)".*?</select>', form, re.DOTALL)
    fields = dict.fromkeys(selects, "")
    for chosen, value in re.findall(
        r'<select[^>]*name="([^"]*)"(?:(?!</select>).)*<option value="([^"]*)" selected', form, re.DOTALL
    ):
        fields[chosen] = value
    for each in inputs:
        name = re.search(r'name="([^"]*)"', each)
        value = re.search(r'value="([^"]*)"', each)
        if name and name[1] != "csrf_token" and ('type="checkbox"' not in each or " checked" in each):
            fields[name[1]] = value[1] if value else ""
    return fields


def override(override_id: int) -> Override:
    with transaction() as db:
        return db.get_one(Override, override_id)


def the_only_override() -> Override:
    with transaction() as db:
        return db.scalars(select(Override)).one()


def overridden() -> set[int]:
    with transaction() as db:
        return set(db.scalars(select(JobRun.id).where(JobRun.override_id.is_not(None))))


# Writing one


def test_from_a_run_the_form_has_the_jobs_name_the_object_and_its_words(operator: Browser) -> None:
    run_id = a_run(a_job())

    page = operator.get(f"/overrides/new?run_id={run_id}").text

    fields = form_of(page)
    assert "Oak BV › Nightly" in text_of(page)
    assert (fields["object_name"], fields["text"], fields["reason"]) == ("SQL01", DISK, "")
    assert "failed" not in fields


def test_of_a_run_with_several_problems_one_is_chosen(operator: Browser) -> None:
    told = {"SQL01": (WARNING, DISK), "DC01": (FAILED, "no connection")}
    run_id = a_run(a_job(), told=told)

    worst = operator.get(f"/overrides/new?run_id={run_id}").text
    other = operator.get(f"/overrides/new?run_id={run_id}&problem=1").text

    assert "This run has 2 problems that nothing covers." in text_of(worst)
    assert (form_of(worst)["object_name"], form_of(other)["object_name"]) == ("DC01", "SQL01")


def test_without_a_run_one_searches_for_the_job(operator: Browser) -> None:
    job_id = a_job("Elm NV", "Servers")

    page = operator.get("/overrides/new?q=elm serv").text

    assert f'href="/overrides/new?job_id={job_id}"' in page
    assert "Elm NV › Servers" in text_of(operator.get(f"/overrides/new?job_id={job_id}").text)


def test_nothing_is_stored_before_the_preview_was_seen(operator: Browser) -> None:
    job_id = a_job()
    for number in range(3):
        a_run(job_id, days_ago=number + 1)
    a_run(job_id, days_ago=5, told={"SQL01": (WARNING, DISK), "DC01": (WARNING, "VSS")})
    a_run(job_id, days_ago=6, told={"SQL01": (FAILED, DISK)})
    fields = form_of(operator.get(f"/overrides/new?job_id={job_id}").text)

    page = operator.post("/overrides/preview", data={**fields, "text": "disk almost", "reason": "ordered"})

    words = text_of(page.text)
    assert "3 runs of 1 job would have counted as success" in words
    assert "1 run had this problem and another one beside it" in words
    assert "failed" not in words.partition("In the last 90 days")[2].partition("Also for")[0]
    with transaction() as db:
        assert db.scalars(select(Override)).all() == []


def test_the_preview_says_how_many_of_them_failed(operator: Browser) -> None:
    job_id = a_job()
    a_run(job_id)
    a_run(job_id, days_ago=2, told={"SQL01": (FAILED, DISK)})
    fields = {**form_of(operator.get(f"/overrides/new?job_id={job_id}").text), "text": DISK, "reason": "ordered"}

    page = operator.post("/overrides/preview", data={**fields, "failed": "true"})

    assert "2 runs of 1 job would have counted as success, 1 of them failed" in text_of(page.text)


def test_the_preview_tells_of_runs_that_were_marked_as_success_already(operator: Browser) -> None:
    job_id = a_job()
    run_id = a_run(job_id)
    operator.post("/run-checks/mark-success/done", data={"runs": f"{run_id}:1", "reason": "a test"})
    fields = {**form_of(operator.get(f"/overrides/new?run_id={run_id}").text), "reason": "ordered"}

    words = text_of(operator.post("/overrides/preview", data=fields).text)

    assert "1 run with this problem was marked as success already." in words
    assert "Compare the text" not in words


def test_a_failure_is_not_ticked_for_anybody_but_said(operator: Browser) -> None:
    run_id = a_run(a_job(), told={"SQL01": (FAILED, DISK)})

    page = operator.get(f"/overrides/new?run_id={run_id}").text

    assert "This problem is failed. It is covered only if you tick “Failures” below." in text_of(page)
    assert "failed" not in form_of(page)


def test_what_the_preview_carries_is_saved_as_it_was_typed(operator: Browser) -> None:
    job_id = a_job()
    run_id = a_run(job_id)
    fields = {**form_of(operator.get(f"/overrides/new?run_id={run_id}").text), "reason": "ordered", "failed": "true"}
    preview = operator.post("/overrides/preview", data=fields).text

    answer = operator.post("/overrides/save", data=form_of(preview))

    row = the_only_override()
    assert answer.headers["location"] == f"/overrides/{row.id}"
    assert (row.job_id, row.object_name, row.match_text, row.reason) == (job_id, "SQL01", DISK, "ordered")
    assert (row.covers_failed, row.covers_missed, row.hits) == (True, False, 0)
    assert overridden() == set()


def test_runs_that_came_before_are_taken_along_on_request_and_given_back(operator: Browser) -> None:
    run_id = a_run(a_job())
    fields = {**form_of(operator.get(f"/overrides/new?run_id={run_id}").text), "reason": "ordered"}
    preview = operator.post("/overrides/preview", data=fields).text

    answer = operator.post("/overrides/save", data={**form_of(preview), "afterwards": "true"})

    assert overridden() == {run_id}
    page = operator.get(answer.headers["location"]).text
    assert "1 run of the last 90 days counts as success." in text_of(page)
    take_back = f"/overrides/{the_only_override().id}/take-back"
    assert page.count(f'action="{take_back}"') == 2  # in the toast, and in the page
    operator.post(take_back)
    assert overridden() == set()


def test_one_that_begins_later_offers_no_runs_that_came_before(operator: Browser) -> None:
    run_id = a_run(a_job())
    later = (clock.now() + 9 * DAY).date().isoformat()
    fields = {**form_of(operator.get(f"/overrides/new?run_id={run_id}").text), "reason": "ordered", "starts_on": later}

    preview = operator.post("/overrides/preview", data=fields).text
    refused = operator.post("/overrides/save", data={**form_of(preview), "afterwards": "true"})

    assert 'id="afterwards"' not in preview
    assert "those above stay as they are" in text_of(preview)
    assert refused.status_code == 422
    assert 'id="afterwards" name="afterwards" value="true" checked' in refused.text
    assert "it can't be about both" in text_of(refused.text)


def test_from_the_preview_one_returns_to_what_was_typed(operator: Browser) -> None:
    job_id = a_job()
    fields = {**form_of(operator.get(f"/overrides/new?job_id={job_id}").text), "text": "VSS", "reason": "ordered"}
    preview = operator.post("/overrides/preview", data=fields).text

    form = form_of(operator.post("/overrides/new", data=form_of(preview)).text)

    assert (form["text"], form["reason"]) == ("VSS", "ordered")


@pytest.mark.parametrize("path", ["/overrides/preview", "/overrides/save"])
def test_what_is_mistyped_is_said_at_its_field_and_stays(operator: Browser, path: str) -> None:
    fields = {"level": "object", "job_id": str(a_job()), "text": "VSS", "ends_on": "31-12", "status": "failed"}

    page = operator.post(path, data=fields)

    assert page.status_code == 422
    assert "Say which day, as YYYY-MM-DD." in page.text
    assert "Tick below that it covers what is failed" in page.text
    assert "Say why this problem is all right" in page.text
    assert 'value="31-12"' in page.text


def test_one_of_all_jobs_is_an_administrators(operator: Browser, admin: Browser) -> None:
    fields = {"level": "global", "software": "Veeam", "text": "VSS writer", "reason": "known", "mode": "contains"}
    fields["ends_on"] = (clock.now() + 30 * DAY).date().isoformat()
    asked = [("GET", "/overrides/new?level=global"), ("POST", "/overrides/preview"), ("POST", "/overrides/save")]

    assert [operator.request(method, path, data=fields).status_code for method, path in asked] == [403] * 3
    assert [admin.request(method, path, data=fields).status_code for method, path in asked] == [200, 200, 303]
    row = the_only_override()
    acts = [(f"/overrides/{row.id}/end", {}), (f"/overrides/{row.id}/extend", {"ends_on": fields["ends_on"]})]
    assert [operator.post(path, data=data).status_code for path, data in acts] == [403] * 2
    assert "All jobs of a product" not in operator.get("/overrides/new").text


@pytest.mark.parametrize("query", ["run_id=999999", "run_id=x", "run_id=" + "9" * 30, "job_id=999999", "job_id=x"])
def test_what_is_not_there_is_a_page_that_says_so(operator: Browser, query: str) -> None:
    assert operator.get(f"/overrides/new?{query}").status_code == 404


def test_another_problem_than_the_run_has_is_an_empty_form(operator: Browser) -> None:
    run_id = a_run(a_job())

    assert form_of(operator.get(f"/overrides/new?run_id={run_id}&problem=7").text)["text"] == ""


# The list


def test_an_empty_list_says_what_overrides_are_for(operator: Browser, viewer: Browser) -> None:
    assert "No known problem is overridden." in operator.get("/overrides").text
    assert "/overrides/new" in operator.get("/overrides").text
    assert "/overrides/new" not in viewer.get("/overrides").text


def test_each_tab_lists_its_own(viewer: Browser) -> None:
    job_id = a_job()
    active = an_override(job_id, text="active")
    an_override(job_id, text="unused", days_ago=61, ends_on=(clock.now() + 9 * DAY).date().isoformat())
    ended = an_override(job_id, text="ended")
    with transaction() as db:
        db.execute(
            update(Override).where(Override.id == ended).values(ended_at=clock.now(), ended_by=Override.created_by)
        )

    listed = {
        tab: [word for word in ("active", "unused", "ended") if f"“{word}”" in viewer.get(f"/overrides?tab={tab}").text]
        for tab in ("active", "unused", "ended", "marks")
    }

    assert listed == {"active": ["active", "unused"], "unused": ["unused"], "ended": ["ended"], "marks": []}
    assert "1 override met nothing for 60 days." in text_of(viewer.get("/overrides").text)
    assert "best ended" not in viewer.get(f"/overrides/{active}").text


def test_one_that_was_hit_lately_is_not_unused(viewer: Browser) -> None:
    job_id = a_job()
    an_override(job_id, days_ago=80)
    a_run(job_id)

    assert len(rows(viewer.get("/overrides?tab=unused"))) == 0


def test_the_list_is_searched_and_narrowed(viewer: Browser) -> None:
    an_override(a_job("Oak BV"), text="first")
    an_override(a_job("Elm NV"), text="second")
    an_override(text="third of all")

    def found(query: str) -> list[str]:
        page = viewer.get(f"/overrides?{query}").text
        return [word for word in ("first", "second", "third") if f"“{word}" in page]

    assert found("q=elm") == ["second"]
    assert found("level=global") == ["third"]
    assert found("level=object") == ["first", "second"]
    assert "No override fits." in viewer.get("/overrides?q=nothing").text
    assert found("level=nonsense&tab=nonsense&page=99") == ["first", "second", "third"]


def test_five_hundred_are_listed_with_as_many_statements_as_one(viewer: Browser) -> None:
    job_id = a_job()
    for number in range(3):
        an_override(job_id, text=f"text {number}")
    with counted_statements() as of_few:
        viewer.get("/overrides")
    with transaction() as db:
        actor = builders.make_user(db, role=Role.ADMIN)
        for number in range(120):
            make_override(db, actor, now=clock.now(), job_id=job_id, text=f"more {number}")
    with counted_statements() as of_many:
        page = viewer.get("/overrides")

    assert len(rows(page)) == 50
    assert len(of_many) == len(of_few)


# One of them


def test_its_page_shows_what_it_means_and_which_runs_come_under_it(viewer: Browser) -> None:
    job_id = a_job()
    override_id = an_override(job_id, days_ago=3, failed=True)
    run_id = a_run(job_id, told={"SQL01": (FAILED, DISK)})

    page = viewer.get(f"/overrides/{override_id}").text

    words = text_of(page)
    assert f"message contains “{DISK}”" in words
    assert "Warnings, failures" in words
    assert "the disk is on order" in words
    assert f'href="/runs/{run_id}"' in page
    assert "Failed" in rows(viewer.get(f"/overrides/{override_id}"))[0]
    assert "End now" not in page


def test_an_operator_ends_and_extends_one_of_a_job(operator: Browser) -> None:
    override_id = an_override(a_job())
    day = (clock.now() + 200 * DAY).date()

    extended = operator.post(f"/overrides/{override_id}/extend", data={"ends_on": day.isoformat()})
    assert (extended.status_code, override(override_id).ends_at.date()) == (303, day)
    wrong = operator.post(f"/overrides/{override_id}/extend", data={"ends_on": "2001-01-01"})
    assert (wrong.status_code, "until a year ahead" in wrong.text) == (422, True)
    operator.post(f"/overrides/{override_id}/end")
    assert override(override_id).ended_at is not None
    assert operator.post(f"/overrides/{override_id}/end").status_code == 409
    assert "Ended before its time" in operator.get(f"/overrides/{override_id}").text


def test_only_an_administrator_deletes_one_and_sees_before_what_that_does(
    operator: Browser, viewer: Browser, admin: Browser
) -> None:
    job_id = a_job()
    override_id = an_override(job_id, days_ago=3)
    a_run(job_id)
    path = f"/overrides/{override_id}/delete"

    for other in (operator, viewer):
        assert [other.request(method, path).status_code for method in ("GET", "POST")] == [403, 403]
    assert "1 run counts as what it is" in text_of(admin.get(path).text)
    answer = admin.post(path)

    assert answer.headers["location"] == "/overrides"
    assert overridden() == set()
    assert admin.get(f"/overrides/{override_id}").status_code == 404


def test_a_viewer_reads_and_changes_nothing(viewer: Browser) -> None:
    override_id = an_override(a_job())
    paths = [
        "/overrides/save",
        "/overrides/preview",
        "/overrides/new",
        *(f"/overrides/{override_id}/{act}" for act in ("end", "extend", "take-back")),
    ]

    assert [viewer.post(path).status_code for path in paths] == [403] * len(paths)
    assert viewer.get("/overrides/new").status_code == 403
