"""Password hashes: argon2id with the parameters OWASP names for web servers."""

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.services.errors import BadInput

SHORTEST = 8
LONGEST = 200  # characters; more would only be work for the hash

# 19 MiB and one lane each. A flood of attempts must not take the memory of a 2 GB instance, so few run at once.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_room = threading.BoundedSemaphore(4)


def hashed(password: str) -> str:
    with _room:
        return _hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Tell whether the password is right. Without a hash the same work is done, and the answer is no."""
    if len(password) > LONGEST:
        password = ""
    with _room:
        try:
            _hasher.verify(password_hash or _nobodys_hash(), password)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    return _hasher.check_needs_rehash(password_hash)


def check_choice(password: str, *, username: str, field: str = "password") -> None:
    """Raise BadInput when the password may not be chosen."""
    if len(password) < SHORTEST:
        raise BadInput(f"Use at least {SHORTEST} characters.", field=field)
    if len(password) > LONGEST:
        raise BadInput(f"Use at most {LONGEST} characters.", field=field)
    if password.casefold() == username.casefold() or len(set(password)) < 3:
        raise BadInput("This password is too easy to guess. Use a few unrelated words.", field=field)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("nobody's password")
