"""Keeps secrets of the database from those who only see the database: sealed under a key made of APP_SECRET_KEY.

Each purpose has a key of its own, so that a value copied into another column opens nowhere.
"""

import hmac
from base64 import urlsafe_b64encode
from enum import StrEnum
from hashlib import sha256

from shared.services.errors import Refusal


class Purpose(StrEnum):
    """What a secret is for. A value here must never change: what was sealed for it would be lost."""

    ALARM_TARGET = "alarm target address"
    TICKETING_SIGN_IN = "ticketing sign-in"


class SecretLost(Refusal):
    """A sealed secret can't be opened with the key in force."""


def seal(secret: str, purpose: Purpose, *, key: str) -> bytes:
    """Return the secret as only `open_sealed` can read it. Raise SecretLost without a key."""
    from cryptography.fernet import Fernet

    return Fernet(_key_for(purpose, key)).encrypt(secret.encode())


def open_sealed(sealed: bytes, purpose: Purpose, *, key: str) -> str:
    """Return the secret. Raise SecretLost when it was sealed with another key, or for another purpose."""
    from cryptography.fernet import Fernet, InvalidToken

    try:
        return Fernet(_key_for(purpose, key)).decrypt(sealed).decode()
    except InvalidToken as problem:
        raise SecretLost(
            "What was stored cannot be read: APP_SECRET_KEY has changed since. "
            "Set the old key again, or delete this and add it anew."
        ) from problem


def fingerprint(secret: str, purpose: Purpose, *, key: str) -> str:
    """Return by what the secret is known again, and from what it can't be told. Raise SecretLost without a key."""
    return hmac.new(_key_for(purpose, key), secret.encode(), sha256).hexdigest()


def _key_for(purpose: Purpose, key: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if not key:
        raise SecretLost("APP_SECRET_KEY is not set, so no secret can be stored or read.")
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"backupchecks: {purpose.value}".encode())
    return urlsafe_b64encode(derive.derive(key.encode()))
