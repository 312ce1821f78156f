from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.session import transaction
from shared.domain.permissions import RIGHTS, Right, Role
from shared.models.audit import AuditEntry
from shared.models.users import User
from shared.services.audit import MASK, SYSTEM, Actor, record_act
from shared.services.errors import BadInput, Conflict, TooMany
from shared.services.sign_in import PER_NAME, admit
from shared.services.users import create_user, disable_user, enable_user, find_user, set_roles

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)


def new_user(db: Session, name: str, *roles: Role) -> User:
    return create_user(db, name, None, roles, now=NOW)


def test_the_last_administrator_is_neither_demoted_nor_disabled(db: Session) -> None:
    anna, otto = new_user(db, "anna", Role.ADMIN), new_user(db, "otto", Role.ADMIN)
    disable_user(db, otto.id, actor=SYSTEM, now=NOW)

    with pytest.raises(Conflict, match="last administrator"):
        set_roles(db, anna.id, [Role.VIEWER], actor=SYSTEM, now=NOW)
    with pytest.raises(Conflict, match="last administrator"):
        disable_user(db, anna.id, actor=SYSTEM, now=NOW)

    enable_user(db, otto.id, actor=SYSTEM, now=NOW)
    set_roles(db, anna.id, [Role.VIEWER], actor=SYSTEM, now=NOW)
    assert anna.last_active_role is Role.VIEWER


def test_two_administrators_who_demote_each_other_leave_one(clean_database: str) -> None:
    with transaction() as db:
        ids = [new_user(db, name, Role.ADMIN, Role.VIEWER).id for name in ("anna", "otto")]

    def demote(user_id: int) -> bool:
        try:
            with transaction() as db:
                set_roles(db, user_id, [Role.VIEWER], actor=SYSTEM, now=NOW)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(demote, ids)) == [False, True]


def test_nobody_disables_himself(db: Session) -> None:
    anna = new_user(db, "anna", Role.ADMIN)
    new_user(db, "otto", Role.ADMIN)

    with pytest.raises(Conflict, match="yourself"):
        disable_user(db, anna.id, actor=Actor(name="anna", user_id=anna.id), now=NOW)


def test_names_differ_by_more_than_case(db: Session) -> None:
    anna = new_user(db, " Anna ", Role.VIEWER)

    assert find_user(db, "ANNA") is anna
    with pytest.raises(Conflict, match="already"):
        new_user(db, "anna", Role.VIEWER)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0b", "x" * 101])
def test_a_name_that_cannot_be_read_is_refused(db: Session, name: str) -> None:
    with pytest.raises(BadInput):
        new_user(db, name, Role.VIEWER)


def test_a_user_has_at_least_one_role(db: Session) -> None:
    with pytest.raises(BadInput, match="role"):
        new_user(db, "anna")


def test_attempts_in_parallel_are_counted_one_by_one(clean_database: str) -> None:
    def attempt(_: int) -> bool:
        try:
            with transaction() as db:
                admit(db, "anna", address="203.0.113.9", now=NOW)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(PER_NAME * 3))) == PER_NAME


def test_secrets_are_masked_before_they_reach_the_audit_log(db: Session) -> None:
    after = {"name": "hook", "secret": "abc", "nested": {"api_token": "def"}, "password": ""}

    record_act(db, SYSTEM, "settings.changed", subject_type="settings", subject_id=None, after=after, now=NOW)
    db.flush()

    [stored] = db.scalars(select(AuditEntry.after))
    assert stored == {"name": "hook", "secret": MASK, "nested": {"api_token": MASK}, "password": ""}


def test_every_right_is_somebodys_and_an_administrators() -> None:
    assert RIGHTS[Role.ADMIN] == frozenset(Right)
    assert all(RIGHTS[role] < RIGHTS[Role.ADMIN] for role in Role if role is not Role.ADMIN)
    assert RIGHTS[Role.VIEWER] < RIGHTS[Role.OPERATOR]
