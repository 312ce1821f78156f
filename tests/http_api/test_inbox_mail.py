import re

import pytest

from shared.db.session import transaction
from shared.domain.job_key import KeyStanding
from shared.domain.mailflow import Ending, Location
from shared.domain.status import Status
from shared.models.jobs import JobKeyRow, JobRun
from tests import builders
from tests.http_api.client import Browser
from tests.http_api.inbox_world import (
    came_in,
    outcome,
    reading_of,
    readings,
    report,
    rubbish,
    run_of,
    runs_by_job,
    stored_mail,
)
from tests.http_api.lists import counted_statements, make_customer, text_of
from tests.mails import alert_mail, digest_mail


def approve(browser: Browser, mail_id: int, rest: str = "", **typed: str) -> str:
    """Send the form of the first reading and return where it leads."""
    answer = browser.post(f"/inbox/{mail_id}/readings/{reading_of(mail_id)}/approve{rest}", data=typed)
    assert answer.status_code == 303, text_of(answer.text)
    return str(answer.headers["location"])


def known_job(name: str = "Nightly", customer: str = "Oak", **facts: str) -> int:
    with transaction() as db:
        return builders.make_job(db, name, customer_id=builders.make_customer(db, customer), **facts)  # type: ignore[arg-type]


def standing_of(job_id: int) -> KeyStanding:
    with transaction() as db:
        return db.query(JobKeyRow).filter_by(job_id=job_id).one().standing


def test_the_page_shows_facts_objects_and_the_mail_in_a_frame_without_rights(operator: Browser) -> None:
    mail_id = report("Nightly", status="Failed", origin="OAK-VBR")

    page = operator.get(f"/inbox/{mail_id}").text

    assert "New job no job has this name yet" in text_of(page)
    assert "2 objects, 1 not good" in text_of(page)
    assert re.search(rf'<iframe[^>]*sandbox=""[^>]*src="/mails/{mail_id}/body"', page)


def test_approving_makes_the_job_and_its_run_and_opens_the_next_mail(operator: Browser) -> None:
    make_customer("Oak")
    newest, middle, oldest = (report(f"Job {number}", nights_ago=number) for number in (1, 2, 3))

    assert approve(operator, middle, customer="OAK") == f"/inbox/{oldest}"
    assert "1 run of Oak › Job 2." in operator.get("/inbox").text
    assert approve(operator, oldest, customer="Oak") == f"/inbox/{newest}"
    assert approve(operator, newest, customer="Oak") == "/inbox"
    assert runs_by_job() == {"Oak › Job 2": 1, "Oak › Job 3": 1, "Oak › Job 1": 1}


def test_the_filters_of_the_list_stay_while_one_works_through_it(operator: Browser) -> None:
    make_customer("Oak")
    first, second = report("Weekly A", nights_ago=1), report("Weekly B", nights_ago=3)
    report("Nightly", nights_ago=2)

    assert approve(operator, first, "?q=weekly", customer="Oak") == f"/inbox/{second}?q=weekly"
    assert "1 of 1" in text_of(operator.get(f"/inbox/{second}?q=weekly").text)
    assert approve(operator, second, "?q=weekly", customer="Oak") == "/inbox?q=weekly"


def test_the_other_waiting_mails_of_the_job_come_along_when_asked(operator: Browser) -> None:
    make_customer("Oak")
    first, second, third = (report("Nightly", nights_ago=number) for number in (1, 2, 3))
    assert "and 2 other waiting mails of this job" in text_of(operator.get(f"/inbox/{first}").text)

    assert approve(operator, first, customer="Oak", all_waiting="1") == "/inbox"

    assert [outcome(each) for each in (first, second, third)] == [Ending.RUN] * 3
    assert "3 runs of Oak › Nightly." in operator.get("/inbox").text


def test_an_unknown_customer_is_offered_for_creation_with_what_was_typed(operator: Browser) -> None:
    mail_id = report()
    address = f"/inbox/{mail_id}/readings/{reading_of(mail_id)}/approve"

    refused = operator.post(address, data={"customer": "Elm  & Sons"})
    assert refused.status_code == 422
    assert "There is no customer called “Elm &amp; Sons”." in refused.text
    assert 'value="Elm  &amp; Sons"' in refused.text
    approve(operator, mail_id, customer="Elm & Sons", create="1")

    assert runs_by_job() == {"Elm & Sons › Nightly": 1}


@pytest.mark.parametrize(
    "typed, sentence", [("", "Say whose mail this is."), ("Past", "“Past” is inactive"), ("x" * 201, "no customer")]
)
def test_a_customer_that_cannot_be_meant_is_refused_beside_the_field(
    typed: str, sentence: str, operator: Browser
) -> None:
    make_customer("Past", active=False)
    mail_id = report()

    answer = operator.post(f"/inbox/{mail_id}/readings/{reading_of(mail_id)}/approve", data={"customer": typed})

    assert answer.status_code == 422
    assert re.search(rf'class="field-error"[^>]*>.*?{sentence}', answer.text, re.DOTALL)
    assert outcome(mail_id) is Ending.INBOX


def test_a_refused_approval_leaves_no_customer_and_no_job_behind(operator: Browser) -> None:
    known_job("Nightly", "Oak", origin="OAK-VBR")
    mail_id = report("Other", origin="OAK-VBR")
    with transaction() as db:
        job_id = builders.make_job(db, "Archived", archived=True)

    answer = operator.post(f"/inbox/{mail_id}/readings/{reading_of(mail_id)}/attach", data={"job_id": job_id})

    assert answer.status_code == 409
    assert "This job is archived." in answer.text
    assert outcome(mail_id) is Ending.INBOX
    assert len(runs_by_job()) == 2


def test_a_report_is_attached_to_a_job_that_exists(operator: Browser) -> None:
    job_id = known_job("Servers", "Oak")
    mail_id = report("Servers v2")
    found = operator.get("/inbox/job-options?job_q=oak+serv").text
    assert f'value="{job_id}"' in found
    assert f'value="{job_id}"' in operator.get(f"/inbox/{mail_id}?find_for={reading_of(mail_id)}&job_q=serv").text

    answer = operator.post(f"/inbox/{mail_id}/readings/{reading_of(mail_id)}/attach", data={"job_id": job_id})

    assert answer.status_code == 303
    assert runs_by_job() == {"Oak › Servers": 1}


def test_attaching_without_a_choice_asks_for_one(operator: Browser) -> None:
    mail_id = report()

    answer = operator.post(f"/inbox/{mail_id}/readings/{reading_of(mail_id)}/attach")

    assert answer.status_code == 422
    assert "Choose the job that this mail reports on." in answer.text


def test_a_mail_in_which_nothing_was_read_can_only_be_a_run_of_a_job_and_never_a_good_one(operator: Browser) -> None:
    job_id, mail_id = known_job(), rubbish()
    page = operator.get(f"/inbox/{mail_id}").text
    assert "New job of a customer" not in page

    operator.post(f"/inbox/{mail_id}/readings/{reading_of(mail_id)}/attach", data={"job_id": job_id})

    with transaction() as db:
        assert db.query(JobRun).one().status is Status.UNREADABLE


def test_candidates_stand_first_where_it_could_be_of_several_jobs(operator: Browser) -> None:
    jobs = [known_job("Nightly", "Oak", origin="A"), known_job("Nightly", "Elm", origin="B")]
    mail_id = report("Nightly")

    page = operator.get(f"/inbox/{mail_id}").text

    assert page.index("This job sent it") < page.index("New job of a customer")
    assert [f'name="job_id" value="{job_id}"' in page for job_id in jobs] == [True, True]


def test_a_word_of_honour_is_asked_only_where_the_sender_serves_several_and_nothing_else_tells(
    operator: Browser,
) -> None:
    job_id, mail_id = known_job("Nightly", "Oak"), report("Nightly")
    assert "Only this customer has" not in operator.get(f"/mails/{mail_id}").text
    known_job("Other", "Elm")
    silent, telling = report("Nightly", nights_ago=2), report("Weekly", origin="OAK-VBR")

    assert "Only this customer has a job with this name" in operator.get(f"/inbox/{silent}").text
    assert "Only this customer has" not in operator.get(f"/inbox/{telling}").text
    operator.post(f"/inbox/{silent}/readings/{reading_of(silent)}/attach", data={"job_id": job_id, "vouched": "1"})

    assert standing_of(job_id) is KeyStanding.VOUCHED
    assert outcome(report("Nightly", nights_ago=3)) is Ending.RUN


def test_mails_that_could_be_anybodys_do_not_come_along_unasked(operator: Browser) -> None:
    known_job("Weekly", "Elm")
    make_customer("Oak")
    mails = [report("Nightly", nights_ago=number) for number in (1, 2)]
    address = f"/inbox/{mails[0]}/readings/{reading_of(mails[0])}/approve"

    refused = operator.post(address, data={"customer": "Oak", "all_waiting": "1"})
    assert refused.status_code == 422
    assert "say that only this customer uses the name" in refused.text
    assert "Only this customer has a job with this name" in refused.text
    operator.post(address, data={"customer": "Oak", "all_waiting": "1", "vouched": "1"})

    assert [outcome(mail_id) for mail_id in mails] == [Ending.RUN, Ending.RUN]


def test_suggestions_come_with_their_evidence_and_fill_the_field(operator: Browser) -> None:
    known_job("Weekly", "Oak & Ash")
    mail_id = report("Nightly")

    page = operator.get(f"/inbox/{mail_id}").text
    chip = re.search(r'class="suggestion" href="([^"]+)"', page)

    assert "Oak & Ash 1 job from this sender" in text_of(page)
    assert chip
    filled = operator.get(f"/inbox/{mail_id}{chip[1]}".replace("&amp;", "&").partition("#")[0]).text
    assert 'name="customer" value="Oak &amp; Ash"' in filled


def test_a_mail_without_a_job_name_asks_for_one(operator: Browser) -> None:
    make_customer("Oak")
    mail_id = came_in(alert_mail())
    with transaction() as db:
        db.get_one(type(readings(mail_id)[0]), reading_of(mail_id)).job_name = None
    assert "Name of the job" in operator.get(f"/inbox/{mail_id}").text

    refused = operator.post(f"/inbox/{mail_id}/readings/{reading_of(mail_id)}/approve", data={"customer": "Oak"})
    assert "give the job a name" in refused.text
    approve(operator, mail_id, customer="Oak", job_name="Maintenance")

    assert runs_by_job() == {"Oak › Maintenance": 1}


def test_each_report_of_a_digest_is_settled_by_itself_and_the_mail_stays_until_then(operator: Browser) -> None:
    make_customer("Oak")
    mail_id = came_in(digest_mail(("One", "Success"), ("Two", "Failed")))
    one, two = (reading.id for reading in readings(mail_id))

    answer = operator.post(f"/inbox/{mail_id}/readings/{one}/approve", data={"customer": "Oak"})
    assert answer.headers["location"] == f"/inbox/{mail_id}"
    assert stored_mail(mail_id).location is Location.INBOX
    operator.post(f"/inbox/{mail_id}/readings/{two}/approve", data={"customer": "Oak"})

    assert stored_mail(mail_id).location is Location.PROCESSED
    assert runs_by_job() == {"Oak › One": 1, "Oak › Two": 1}


def test_the_slower_of_two_people_is_told_and_led_to_the_run(operator: Browser, admin: Browser) -> None:
    make_customer("Oak")
    mail_id = report()
    approve(admin, mail_id, customer="Oak")

    answer = operator.post(f"/inbox/{mail_id}/readings/{reading_of(mail_id)}/approve", data={"customer": "Oak"})

    assert answer.status_code == 409
    assert "Somebody else has handled this mail already." in answer.text
    assert f'href="/runs/{run_of(mail_id)}"' in answer.text
    assert runs_by_job() == {"Oak › Nightly": 1}


def test_a_mail_that_waits_no_more_is_shown_where_it_is(viewer: Browser, operator: Browser) -> None:
    make_customer("Oak")
    mail_id = report()
    approve(operator, mail_id, customer="Oak")

    assert viewer.get(f"/inbox/{mail_id}").headers["location"] == f"/mails/{mail_id}"
    assert viewer.get("/inbox/999999").status_code == 404


def test_one_mail_is_deleted_with_a_reason_after_a_question(operator: Browser) -> None:
    mail_id, other = report("One", nights_ago=1), report("Two", nights_ago=2)
    assert "Delete this mail?" in operator.get(f"/inbox/{mail_id}/delete").text

    answer = operator.post(f"/inbox/{mail_id}/delete", data={"reason": "a test"})

    assert answer.headers["location"] == f"/inbox/{other}"
    assert stored_mail(mail_id).delete_reason == "a test"
    assert operator.post(f"/inbox/{mail_id}/delete").status_code == 409


def test_reading_one_mail_again_says_what_came_of_it(operator: Browser) -> None:
    first, second = report(nights_ago=1), report(nights_ago=2)
    make_customer("Oak")
    assert operator.post(f"/inbox/{first}/reparse").headers["location"] == f"/inbox/{first}"
    approve(operator, first, customer="Oak")

    assert operator.post(f"/inbox/{second}/reparse").headers["location"] == f"/mails/{second}"


def test_fifty_readings_take_as_many_statements_as_one(operator: Browser) -> None:
    counts = []
    for mail_id in (report(), came_in(digest_mail(*((f"Job {number}", "Failed") for number in range(50))))):
        with counted_statements() as asked:
            answer = operator.get(f"/inbox/{mail_id}")
        assert answer.status_code == 200
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_zero_bytes_in_what_is_typed_or_asked_do_no_harm(operator: Browser) -> None:
    make_customer("Oak")
    mail_id, other = report("One", nights_ago=1), report("Two", nights_ago=2)

    assert operator.get("/inbox?q=%00&software=%00Veeam").status_code == 200
    assert operator.get("/inbox/job-options?job_q=a%00").status_code == 200
    assert operator.get("/inbox/customer-options?customer=a%00").status_code == 200
    approve(operator, mail_id, customer="Oa\0k", job_name="a\0b")
    assert operator.post(f"/inbox/{other}/delete", data={"reason": "a\0b"}).status_code == 303

    assert stored_mail(other).delete_reason == "ab"
