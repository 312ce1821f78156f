"""The secret that Graph hands back with every notification, so that a forged one is told from a real one.

It needs no database: whoever holds the app's secret key can say what it must be. The standard library alone, because
the webhook starts cold.
"""

import hashlib
import hmac

_PURPOSE = b"backupchecks graph client state v1"


def client_state(secret_key: str, mailbox: str) -> str:
    """Return the 64 hexadecimal digits that go with notifications of `mailbox`, however its address is spelled.

    The key is one derived for this purpose alone, so what Graph stores tells nothing about any other use of the secret.
    """
    key = hmac.digest(secret_key.encode(), _PURPOSE, hashlib.sha256)
    return hmac.new(key, mailbox.strip().lower().encode(), hashlib.sha256).hexdigest()
