"""All tests. They need no network and no database but the one they start."""

import os

import pytest

# What a test may do without on a developer's machine. CI has the rest.
NEVER_REQUIRED = frozenset({"python3.13"})


def require(what: str, present: object) -> None:
    """Skip the test when `what` is absent; under REQUIRE_ALL=1, as in CI, fail it."""
    if present:
        return
    if os.environ.get("REQUIRE_ALL") == "1" and what not in NEVER_REQUIRED:
        pytest.fail(f"{what} is missing, and REQUIRE_ALL=1 lets no test skip", pytrace=False)
    pytest.skip(f"{what} is missing")
