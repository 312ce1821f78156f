"""Microsoft's emulator of a storage account, its queues alone, on a port of this machine."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import require

PROGRAM = Path(__file__).parents[1] / "node_modules/azurite/dist/src/queue/main.js"
# The same for everybody who runs it: no secret.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
START = 30.0  # seconds it may take
TRIES = 3


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run Azurite for the tests of this process; the connection string leads to its queues."""
    node = shutil.which("node")
    require("azurite", node and PROGRAM.exists())
    assert node is not None
    for _ in range(TRIES):
        port = _free_port()
        where = ["--location", str(tmp_path_factory.mktemp("azurite")), "--queuePort", str(port)]
        # The client speaks a newer version of the protocol than the emulator knows.
        how = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        process = subprocess.Popen([node, PROGRAM, *where, *how], stdout=subprocess.DEVNULL)
        try:
            if _answers(port, process):
                yield connection_string(port)
                return
        finally:
            process.terminate()
            process.wait(20)
    pytest.fail("Azurite does not start; its words stand on stderr")


def connection_string(port: int) -> str:
    at = f"QueueEndpoint=http://127.0.0.1:{port}/{ACCOUNT}"
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{at};"


def _answers(port: int, process: "subprocess.Popen[bytes]") -> bool:
    """Wait until somebody listens; return whether it is Azurite, which ends when another was faster on the port."""
    deadline = time.monotonic() + START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return process.poll() is None
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
