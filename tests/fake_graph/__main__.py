"""Run the fake by itself, so that the app can be tried with it: `python -m tests.fake_graph --mails DIR`.

Then, in another terminal: GRAPH_BASE_URL=http://127.0.0.1:8201/v1.0 GRAPH_MAILBOX=reports@msp.example make run
"""

import argparse
import contextlib
import time
from datetime import timedelta
from pathlib import Path

from shared import clock
from tests.fake_graph.eml import sent
from tests.fake_graph.faults import Faults
from tests.fake_graph.server import ADDRESS, FakeGraph

RECENT = timedelta(days=30)


def main() -> None:
    options = _options()
    faults = Faults.random(options.seed, options.faults)
    with FakeGraph(port=options.port, address=options.mailbox, faults=faults) as fake:
        fake.notifies_by_itself = True
        print(f"GRAPH_BASE_URL={fake.url} GRAPH_MAILBOX={options.mailbox}", flush=True)
        known: set[Path] = set()
        while True:
            _deliver(fake, options.mails, known)
            time.sleep(2)


def _deliver(fake: FakeGraph, mails: Path | None, known: set[Path]) -> None:
    """Deliver what is new in the folder, dated as the mails say unless that is long ago."""
    now = clock.now()
    for path in sorted(mails.rglob("*.eml")) if mails else []:
        if path not in known:
            known.add(path)
            raw = path.read_bytes()
            sent_at = sent(raw)
            recent = sent_at is not None and now - RECENT < sent_at < now
            fake.deliver(raw, received_at=sent_at if recent else now)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8201)
    parser.add_argument("--mailbox", default=ADDRESS)
    parser.add_argument("--mails", type=Path, help="a folder; every .eml below it arrives, later ones too")
    parser.add_argument("--faults", type=float, default=0.0, help="the share of requests that go wrong, 0 to 1")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
