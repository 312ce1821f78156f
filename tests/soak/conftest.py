"""The mailbox of the services' tests."""

from tests.services.conftest import world

__all__ = ["world"]
