"""One read of a mailbox: what its steps share, and the only way in which they write."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from shared.clients.graph_mailbox import GraphMailbox
from shared.clients.queues import Queues
from shared.db.session import transaction
from shared.models.system import SystemSettings
from shared.services.import_cycles import show_progress
from shared.services.lease_mailbox import Lease, hold_lease


@dataclass(kw_only=True, slots=True)
class SyncRound:
    """A read that began at `started_at`. It stops after the page with which `limit` new mails are there."""

    mailbox: GraphMailbox
    queues: Queues
    clock: Callable[[], datetime]
    lease: Lease
    settings: SystemSettings
    started_at: datetime
    limit: int
    cycle_ids: list[int]
    reads: bool = True  # else it only ends what earlier reads began
    checks_gap: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def mailbox_id(self) -> int:
        return self.lease.mailbox_id

    @property
    def is_full(self) -> bool:
        return self.counts["new"] >= self.limit

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a transaction in which the mailbox is surely ours, and which shows how far we are. Raise LeaseLost."""
        with transaction() as db:
            hold_lease(db, self.lease, now=self.clock())
            yield db
            show_progress(db, self.cycle_ids, self.counts)
