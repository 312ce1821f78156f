"""What of the SDK is loaded when, and which of its details we lean on."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from shared.clients import graph_loop
from shared.clients.graph_sdk import Sdk
from shared.clients.patience import Patience

ROOT = Path(__file__).parents[2]

ONE_READ = """
import sys
from datetime import timedelta
from shared import clock
from shared.clients import graph, graph_check
heavy = [name for name in sys.modules if name.partition(".")[0] in ("msgraph", "kiota_http", "httpx")]
assert not heavy and "azure.identity" not in sys.modules, heavy
from shared.settings import read_settings
from tests.fake_graph import FakeGraph

with FakeGraph() as fake:
    fake.deliver()
    mailbox = graph.open_mailbox(read_settings({"GRAPH_BASE_URL": fake.url, "GRAPH_MAILBOX": "reports@msp.example"}))
    page = mailbox.delta("inbox", link=None, since=clock.now() - timedelta(days=1))
    assert len(page.arrived) == 1
models = [name for name in sys.modules if name.startswith("msgraph.generated.models.")]
assert "msgraph" in sys.modules and not models, models
assert "azure.identity" not in sys.modules
"""


def test_the_sdk_is_loaded_at_the_first_call_and_its_models_never() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ONE_READ], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_sdk_is_as_the_client_expects_it() -> None:
    """A new version of the SDK is looked at here before it is taken."""
    from kiota_http.middleware import RedirectHandler, RetryHandler

    sdk = Sdk("https://graph.microsoft.com/v1.0", None, Patience())
    http = sdk._adapter._http_client
    handlers = {}
    handler = http._transport.pipeline._first_middleware
    while handler is not None:
        handlers[type(handler)] = handler
        handler = handler.next
    graph_loop.run(sdk.close())

    assert version("msgraph-sdk") == "1.65.0"
    assert sdk._adapter.base_url == "https://graph.microsoft.com/v1.0"
    assert http._transport.transport is sdk._transports[0]
    assert http.timeout.as_dict() == {"connect": 10, "read": 60, "write": 60, "pool": 60}
    assert not http.follow_redirects
    assert not handlers[RetryHandler].options.should_retry
    assert not handlers[RedirectHandler].options.should_redirect
