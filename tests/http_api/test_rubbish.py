"""Rubbish in addresses and forms: whatever is sent, the answer is never that something broke on our side."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import count, product
from urllib.parse import quote, urlencode

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from functions.http_api import deps
from functions.http_api.app import all_routes
from shared import clock
from shared.db.session import new_session, transaction
from shared.domain.status import Status
from shared.domain.ticket import ErrandState
from shared.models.mail import MailReading
from shared.models.ticketing import Errand
from shared.services.review_runs import review_runs
from tests import builders
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import a_job
from tests.http_api.schedule_world import a_daily_job
from tests.http_api.silence_world import a_silence
from tests.http_api.ticket_world import a_remark, a_ticket, being_made
from tests.override_builders import make_override

Value = str | bytes | Sequence[str] | None
Form = Mapping[str, Value]

LEFT_OUT = None
IN_ADDRESSES: Mapping[str, str | bytes] = {
    "a zero byte": "a\0b",
    "5,000 digits": "9" * 5_000,
    "a negative number": "-1",
    "more than the database counts to": str(2**63),
    "the id of nothing": str(2**63 - 1),
    "a digit that is no number": "²",
    "half a character": b"a\xed\xa0\x80b",
}
IN_FORMS: Mapping[str, Value] = {
    **IN_ADDRESSES,
    "100 kB": "ab " * 33_000,
    "the last of all days": "9999-12-31",
}
IN_ALL_FIELDS: Mapping[str, Value] = {"two values": ("a", "1"), "nothing": "", "no field": LEFT_OUT}
ENDS_THE_SESSION = {"/logout", "/account/sign-out-everywhere", "/account/password", "/account/role"}
AREAS = (
    "/account", "/customers", "/imports", "/inbox", "/jobs", "/login", "/logout", "/mails", "/manage", "/overrides",
    "/run-checks", "/tickets",
)  # fmt: skip


# All of it takes minutes. One of so many is another value for each field, and each value for some.
ONE_OF = pytest.mark.parametrize("one_of", [11, pytest.param(1, marks=pytest.mark.soak)])


class World(dict[str, object]):
    """What stands in the place of `{names}` in paths, and in forms."""

    def path(self, route: RouteContext, **instead: str) -> str:
        return re.sub(r"\{(\w+)[^}]*\}", lambda found: instead.get(found[1], str(self[found[1]])), route.path or "")


@pytest.fixture
def world(admin: Browser) -> World:
    job, other = a_job(Status.FAILED, message="disk full"), a_job(Status.FAILED, Status.FAILED)
    ticket_id = a_ticket(job.run_id)
    being_made(other.run_ids[0])
    scheduled, customer_id = a_daily_job(), 0
    with transaction() as db:
        anna = builders.make_user(db, "anna")
        override_id = make_override(db, anna, now=clock.now(), job_id=job.job_id).override_id
        reviewed = review_runs(db, [(other.run_ids[1], 1)], actor=anna, now=clock.now(), reason="known")
        errand_id = db.scalars(update(Errand).values(state=ErrandState.FAILED).returning(Errand.id)).one()
        reading_id, mail_id = db.execute(select(MailReading.id, MailReading.mail_id).order_by(MailReading.id)).first()
        customer_id = builders.make_customer(db, "Acme BV")
        own_job = builders.make_job(db, "Own", customer_id=customer_id)
    return World(
        job_id=scheduled, run_id=job.run_id, ticket_id=ticket_id, remark_id=a_remark(job.run_id),
        override_id=override_id, review_id=reviewed.review_id, errand_id=errand_id, reading_id=reading_id,
        mail_id=mail_id, number=1, customer_id=customer_id, own_job=own_job, silence_id=a_silence(), key="c0",
        target_id=1, request_id=1, decision="pin", pairs=job.pairs, path="css/app.css",
    )  # fmt: skip


@pytest.fixture
def nothing_stays(app: FastAPI) -> Iterator[None]:
    """Take back what a request did, so that the next one finds the same."""

    def taken_back() -> Iterator[Session]:
        with new_session() as db:
            yield db
            db.flush()
            db.rollback()

    app.dependency_overrides[deps._db] = taken_back
    yield
    del app.dependency_overrides[deps._db]


def routes_of(app: FastAPI, method: str) -> list[RouteContext]:
    return [route for route in all_routes(app) if method in (route.methods or ()) and route.path]


def names(dependant: Dependant, kind: str) -> set[str]:
    own = {param.alias for param in getattr(dependant, kind)}
    return own.union(*(names(each, kind) for each in dependant.dependencies))


def broken(browser: Browser, method: str, address: str, form: Form | None = None, *, htmx: bool = False) -> bool:
    headers = {"HX-Request": "true"} if htmx else {}
    if form is None:
        return browser.request(method, address, headers=headers).status_code >= 500
    body = urlencode({name: value for name, value in form.items() if value is not LEFT_OUT}, doseq=True)
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return browser.request(method, address, content=body, headers=headers).status_code >= 500


@pytest.mark.usefixtures("nothing_stays")
@ONE_OF
def test_no_rubbish_in_an_address_breaks_anything(one_of: int, app: FastAPI, admin: Browser, world: World) -> None:
    found, turns = [], count()
    for route in routes_of(app, "GET"):
        for name, what in product(route.param_convertors or (), IN_ADDRESSES):
            if next(turns) % one_of:
                continue
            if broken(admin, "GET", world.path(route, **{name: quote(IN_ADDRESSES[what])})):
                found.append(f"{route.path} {name}: {what}")
        asked = sorted(names(route.dependant, "query_params")) if route.dependant else ()
        for name, what in product(asked, IN_ADDRESSES):
            if next(turns) % one_of:
                continue
            if broken(admin, "GET", f"{world.path(route)}?{urlencode({name: IN_ADDRESSES[what]})}"):
                found.append(f"{route.path}?{name}=: {what}")

    assert not found, "\n".join(found)


@pytest.mark.usefixtures("nothing_stays")
@pytest.mark.parametrize("area", AREAS)
@ONE_OF
def test_no_rubbish_in_a_form_breaks_anything(
    one_of: int, area: str, app: FastAPI, admin: Browser, world: World
) -> None:
    found, turns = [], count()
    for route in routes_of(app, "POST"):
        if not route.path.startswith(area) or route.path in ENDS_THE_SESSION:
            continue
        usual, path = forms(route.path, world), world.path(route)
        fields = names(route.dependant, "body_params").union(*usual)
        for what, value in IN_ALL_FIELDS.items():
            if broken(admin, "POST", path, dict.fromkeys(fields, value)):
                found.append(f"{route.path}: {what}")
        for number, (name, what) in enumerate(product(sorted(fields), IN_FORMS)):
            if next(turns) % one_of:
                continue
            form = {**usual[number % len(usual)], name: IN_FORMS[what]}
            if broken(admin, "POST", path, form, htmx=number % 3 == 1):
                found.append(f"{route.path} {name}: {what}")

    assert not found, "\n".join(found)


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "idna", "punycode", "undefined", "zlib", "no\0charset"])
def test_no_odd_charset_of_a_form_breaks_anything(charset: str, admin: Browser, world: World) -> None:
    """Some make half characters of plain letters, and some are none at all."""
    part = 'Content-Disposition: form-data; name="body"\r\n\r\n+2AA-\\ud800\xff'
    headers = {"Content-Type": f"multipart/form-data; boundary=B; charset={charset}".encode()}

    answer = admin.post(
        f"/tickets/remarks/{world['remark_id']}/edit", content=f"--B\r\n{part}\r\n--B--\r\n", headers=headers
    )

    assert answer.status_code < 500


def test_all_forms_are_in_some_area(app: FastAPI) -> None:
    assert [route.path for route in routes_of(app, "POST") if not route.path.startswith(AREAS)] == []


def forms(path: str, world: World) -> list[Form]:  # noqa: PLR0911 -- one for each kind of page
    """Return what people send there, so that one wrong field is found among right ones."""
    day = (clock.now() + timedelta(days=30)).date().isoformat()
    customer, job = world["customer_id"], world["own_job"]
    if path.endswith(("tickets/new", "tickets/add", "remarks/new", "remarks/add")):
        both = {"body": "words", "back": "/tickets", "how": ""}
        own = {
            f"{name}-{customer}": value
            for name, value in {
                "how": "new", "code": "INC-77", "title": "t", "description": "d", "ticket": "INC", "queue_id": "1",
                "priority_id": "1",
            }.items()
        }  # fmt: skip
        return [
            {**both, "runs": str(world["pairs"]), "only": ""},
            {**both, "customer": str(customer), "job": str(job), **own},
            {**both, "customer": str(customer), "job": str(job), **own, f"how-{customer}": "link"},
        ]
    if path.startswith("/run-checks"):
        runs = {"runs": str(world["pairs"]), "only": "", "reason": "known", "name": "SQL01", "back": "/run-checks"}
        return [runs, runs]
    if path.startswith("/overrides"):
        about_job = {
            "level": "object", "job_id": str(world["job_id"]), "text": "disk", "mode": "contains", "ends_on": day,
            "reason": "known", "object_name": "", "status": "", "starts_on": "",
        }  # fmt: skip
        of_all = {**about_job, "level": "global", "software": "Veeam", "text": "disk is full"}
        return [about_job, of_all]
    if "closed-days" in path:
        return [
            {"first": day, "last": day, "name": "Easter", "whose": "all", "country": "NL", "year": day[:4], "day": day},
            {"first": day, "whose": "some", "job": str(job), "id": "1"},
        ]
    if "/schedule" in path:
        part = {"days": "weekly", "weekdays": "0-1", "every_weeks": "1", "pace": "times", "times": "22:00"}
        monthly = {"days": "month_day", "month_day": "1", "pace": "every", "every_minutes": "60", "first": "8:00"}
        rest = {"version": "1", "reason": "known", "resumes_on": day, "minutes": "60", "last": "9:00", "grace": "60"}
        return [{**part, **rest}, {**monthly, **rest}]
    if path.startswith("/manage/settings/autotask"):
        return [{"provider": "manual"}, {"provider": "autotask", "title_template": "{job}", "due_hours": "4"}]
    beside = {
        "errand": str(world["errand_id"]), "confirmed": "true", "customer": str(customer), "job_id": str(job),
        "reading": str(world["reading_id"]), "company_id": "12", "pair": f"{customer}:12", "customer_id": str(customer),
    }  # fmt: skip
    return [{}, beside]
