import asyncio
import gzip
import re

import azure.functions as func
import pytest
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from functions.http_api import app as application
from functions.http_api.assets import FOLDER
from functions.http_api.compression import BLUR, SMALLEST, accepts_gzip
from tests.http_api.client import Browser

MUCH = "<p>A row much like the others.</p>" * 1000
router = APIRouter()


@router.get("/trial/{kind}")
def answer_for_trial(kind: str) -> Response:
    match kind:
        case "html":
            return HTMLResponse(MUCH, headers={"ETag": '"1"', "Vary": "Cookie"})
        case "short":
            return PlainTextResponse("x" * (SMALLEST - 1))
        case "packed":
            return HTMLResponse(gzip.compress(MUCH.encode()), headers={"Content-Encoding": "gzip"})
        case "picture":
            return Response(MUCH, media_type="image/png")
    return Response(status_code=304, headers={"ETag": '"1"'})


@pytest.fixture(scope="module")
def trial_app() -> FastAPI:
    app = application.create_app()
    app.include_router(router)
    return app


@pytest.fixture
def trial(trial_app: FastAPI) -> Browser:
    return Browser(trial_app)


def test_a_page_is_a_fraction_of_its_size_on_its_way(trial: Browser) -> None:
    answer = trial.get("/trial/html")

    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(MUCH) / 20
    assert answer.text == MUCH


def test_caches_are_told_that_the_answer_depends_on_what_is_accepted(trial: Browser) -> None:
    plain = {"Accept-Encoding": "identity"}

    told = [trial.get("/trial/html", headers=headers).headers["vary"] for headers in ({}, plain)]

    assert told == ["Cookie, Accept-Encoding"] * 2
    assert trial.get("/trial/unchanged").headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.000", "x-gzipped"])
def test_who_does_not_accept_it_gets_it_plain(accepted: str, trial: Browser) -> None:
    answer = trial.get("/trial/html", headers={"Accept-Encoding": accepted})

    assert "content-encoding" not in answer.headers
    assert (answer.headers["content-length"], answer.headers["etag"]) == (str(len(MUCH)), '"1"')


@pytest.mark.parametrize("accepted", ["gzip", "deflate, GZIP", "br;q=1.0, gzip;q=0.8, *;q=0.1"])
def test_who_names_it_accepts_it(accepted: str) -> None:
    assert accepts_gzip(accepted)


@pytest.mark.parametrize("kind", ["short", "packed", "picture", "unchanged"])
def test_what_would_not_get_smaller_is_left_as_it_is(kind: str, trial: Browser) -> None:
    with_gzip, plain = (trial.get(f"/trial/{kind}", headers={"Accept-Encoding": each}) for each in ("gzip", "identity"))

    assert with_gzip.content == plain.content
    for header in ("content-length", "content-encoding", "etag"):
        assert with_gzip.headers.get(header) == plain.headers.get(header)


def test_a_picture_does_not_vary(trial: Browser) -> None:
    assert "vary" not in trial.get("/trial/picture").headers


def test_one_byte_for_byte_tag_does_not_stand_for_two_encodings(trial: Browser) -> None:
    assert trial.get("/trial/html").headers["etag"] == 'W/"1"'


def test_a_static_file_is_compressed_and_known_again(browser: Browser) -> None:
    first = browser.get("/static/app.css")
    again = browser.get("/static/app.css", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["content-encoding"] == "gzip"
    assert first.content == (FOLDER / "app.css").read_bytes()
    assert (again.status_code, again.content) == (304, b"")


def test_a_part_of_a_file_is_sent_as_it_is(browser: Browser) -> None:
    answer = browser.get("/static/app.css", headers={"Range": "bytes=0-1999"})

    assert answer.status_code == 206
    assert "content-encoding" not in answer.headers
    assert answer.content == (FOLDER / "app.css").read_bytes()[:2000]


def test_head_tells_the_size_of_what_get_would_send(trial: Browser) -> None:
    head = trial.head("/trial/html")

    assert head.headers["content-encoding"] == "gzip"
    assert head.content == b""


def test_errors_are_compressed_too(operator: Browser) -> None:
    assert operator.get("/no-such-page").headers["content-encoding"] == "gzip"


def test_equal_pages_do_not_show_by_their_size_that_they_are_equal(trial: Browser) -> None:
    sizes = {int(trial.get("/trial/html").headers["content-length"]) for _ in range(30)}

    assert len(sizes) > 5
    assert max(sizes) - min(sizes) <= BLUR + 1


def test_it_comes_through_the_platforms_adapter(trial_app: FastAPI) -> None:
    request = func.HttpRequest("GET", "http://localhost/trial/html", headers={"accept-encoding": "gzip"}, body=b"")
    context = type("Context", (), {"function_directory": ".", "function_name": "web", "invocation_id": "1"})

    answer = asyncio.run(func.AsgiMiddleware(trial_app).handle_async(request, context))

    assert gzip.decompress(answer.get_body()).decode() == MUCH
    assert answer.headers["content-encoding"] == "gzip"
    assert re.fullmatch(r"Cookie, ?Accept-Encoding", answer.headers["vary"])
