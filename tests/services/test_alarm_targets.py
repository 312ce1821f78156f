import pytest
from sqlalchemy.orm import Session

from shared.services.alarm_targets import add_target
from shared.services.errors import BadInput
from shared.settings import settings
from tests.builders import NOW, make_user


@pytest.mark.parametrize(
    "address", ["https://169.254.169.254/metadata", "https://[::1]/", "http://localhost/", "https://10.0.0.1:8443/x"]
)
def test_production_takes_no_address_of_its_own_network(
    db: Session, secret_key: str, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    anna = make_user(db)
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("APP_SECRET_KEY", "k" * 32)
    settings.cache_clear()

    with pytest.raises(BadInput) as caught:
        add_target(db, "On call", kind="webhook", address=address, actor=anna, now=NOW)

    assert caught.value.field == "address"


def test_a_target_of_this_machine_is_taken_while_one_tries_things(db: Session, secret_key: str) -> None:
    target = add_target(db, "Here", kind="webhook", address="http://127.0.0.1:9/x", actor=make_user(db), now=NOW)

    assert target.active
