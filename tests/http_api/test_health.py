"""What probes are told: what stands still, what people should look at, and nothing that is not everybody's business."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from functions.http_api.healing import LookAfterTimers
from shared import clock
from shared.domain.mailflow import SubscriptionState
from shared.models.mailbox import GraphSubscription, MailboxRow, MailFolderRow
from shared.models.pipeline import Heartbeat
from shared.settings import settings
from tests.http_api.client import Browser

MAILBOX = "reports@larch.example"
HOUR = timedelta(hours=1)


@pytest.fixture
def reads_a_mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GRAPH_MAILBOX", MAILBOX)
    settings.cache_clear()
    yield
    settings.cache_clear()


def ready(browser: Browser) -> tuple[int, str, dict[str, str]]:
    answer = browser.get("/health/ready")
    told = answer.json()
    assert MAILBOX not in answer.text
    return answer.status_code, told["status"], told["checks"]


def beats(db: Session, name: str, *, ago: timedelta, good_ago: timedelta | None = None, error: str = "") -> None:
    now = clock.now()
    good_at = now - good_ago if good_ago else None
    db.add(Heartbeat(name=name, every_seconds=300, beat_at=now - ago, good_at=good_at, last_error=error))
    db.commit()


def subscribed(
    db: Session, state: SubscriptionState | None, expires_in: timedelta | None = None, *, active: bool = True
) -> None:
    """Add a folder of the mailbox with a subscription."""
    mailbox = MailboxRow(address=MAILBOX)
    db.add(mailbox)
    db.flush()
    folder = MailFolderRow(mailbox_id=mailbox.id, graph_id="AAMk1", path="Inbox/Secret", active=active)
    db.add(folder)
    db.flush()
    if state:
        known = {"subscription_id": "s1", "expires_at": clock.now() + expires_in} if expires_in else {}
        db.add(GraphSubscription(folder_id=folder.id, state=state, checked_at=clock.now(), **known))
    db.commit()


def test_a_fresh_installation_is_ready(browser: Browser) -> None:
    checks = {"database": "ok", "schema": "ok", "timers": "ok", "subscription": "not used"}

    assert ready(browser) == (200, "ok", checks)


def test_an_import_timer_that_is_dead_stops_work(browser: Browser, committed_db: Session) -> None:
    beats(committed_db, "mail_import", ago=HOUR, good_ago=HOUR)

    status, word, checks = ready(browser)

    assert (status, word) == (503, "failing")
    assert checks["timers"].startswith("mail_import has not run since 20")


def test_other_timers_and_one_that_only_fails_are_for_people_to_look_at(
    browser: Browser, committed_db: Session
) -> None:
    beats(committed_db, "mail_import", ago=timedelta(), error="ValueError")
    beats(committed_db, "watchdog", ago=HOUR, good_ago=HOUR)
    beats(committed_db, "graph_subscription", ago=timedelta(), good_ago=timedelta(minutes=1))

    status, word, checks = ready(browser)

    assert (status, word) == (200, "degraded")
    failing, dead = checks["timers"].split("; ")
    assert failing == "mail_import runs, but has never ended well"
    assert dead.startswith("watchdog has not run since")


@pytest.mark.parametrize(
    "state,expires_in,word,begins",
    [
        (SubscriptionState.ACTIVE, timedelta(days=5), "ok", "active until 20"),
        (SubscriptionState.ACTIVE, 23 * HOUR, "degraded", "active until 20"),
        (SubscriptionState.REMOVED, None, "degraded", "lost:"),
        (SubscriptionState.FAILED, None, "degraded", "lost:"),
        (SubscriptionState.REFUSED, None, "ok", "refused: mails are only polled for"),
        (None, None, "ok", "not asked for yet: mails are only polled for"),
    ],
)
def test_the_subscription_is_told_with_its_end(
    reads_a_mailbox: None,
    browser: Browser,
    committed_db: Session,
    state: SubscriptionState | None,
    expires_in: timedelta | None,
    word: str,
    begins: str,
) -> None:
    subscribed(committed_db, state, expires_in)

    status, found, checks = ready(browser)

    assert (status, found) == (200, word)
    assert checks["subscription"].startswith(begins)


def test_folders_that_are_no_longer_read_do_not_count(
    reads_a_mailbox: None, browser: Browser, committed_db: Session
) -> None:
    subscribed(committed_db, SubscriptionState.FAILED, active=False)

    assert ready(browser)[2]["subscription"] == "not used"


def test_whoever_asks_for_a_page_has_the_timers_looked_after_once_it_is_answered(
    app: Callable[..., object], clean_database: str
) -> None:
    looks: list[str] = []
    page = Browser(LookAfterTimers(app, look=lambda: looks.append("look")))

    assert page.get("/login").status_code == 200
    assert looks == ["look"]
    assert page.get("/health").status_code == 200
    assert looks == ["look", "look"]
