"""A small Microsoft Graph on loopback, written from its documentation and not from our client.

`FakeGraph` is the server with everything that a test does to a mailbox; `Fault` and `Faults` say what goes wrong.
"""

from tests.fake_graph.faults import Effect, Fault, Faults
from tests.fake_graph.server import FakeGraph
from tests.fake_graph.wire import Call

__all__ = ["Call", "Effect", "FakeGraph", "Fault", "Faults"]
