"""A small Autotask on loopback, written from its documentation and not from our client.

`FakeAutotask` is the server with everything that a test does to the tenant; `Fault` says what goes wrong.
"""

from tests.fake_autotask.faults import Effect, Fault
from tests.fake_autotask.server import FakeAutotask
from tests.fake_autotask.wire import Call
from tests.fake_autotask.world import CODE, SECRET, USER, World

__all__ = ["CODE", "SECRET", "USER", "Call", "Effect", "FakeAutotask", "Fault", "World"]
