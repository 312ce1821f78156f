"""A mailbox in the fake Graph, the worker that reads it through the real client, and queues that a test empties."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.clients.graph import GraphClient
from shared.clients.graph_line import GraphLine
from shared.clients.queue_memory import MemoryQueues
from shared.domain.queue_message import Queue, Wake, WakeReason
from shared.models.mail import MailMessage
from shared.models.mailbox import GraphSubscription, MailArrival, MailboxRow, MailFolderRow, MailMove
from shared.models.system import ImportCycle, SystemSettings
from shared.services.mail_queue import handle_parse
from shared.services.sync_mailbox import sync_mailbox
from tests.builders import NOW
from tests.fake_graph import FakeGraph


@dataclass
class World:
    """`now` is what everybody's clock shows until a test says otherwise; nobody waits."""

    db: Session
    graph: FakeGraph
    mailbox: GraphClient
    now: datetime = NOW
    queues: MemoryQueues = field(default_factory=lambda: MemoryQueues(lambda: 0.0))
    slept: list[float] = field(default_factory=list)

    def later(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now

    def set(self, **values: object) -> None:
        self.db.execute(update(SystemSettings).values(**values))
        self.db.commit()

    def wake(
        self, reason: WakeReason = WakeReason.TIMER, *, at: datetime | None = None, request_id: str | None = None
    ) -> dict[str, int]:
        """Do what a wake does; what it puts into the queues waits there."""
        wake = Wake(reason=reason, at=at or self.now, request_id=request_id)
        return sync_mailbox(self.mailbox, self.queues, wake, clock=lambda: self.now, sleep=self.slept.append)

    def wakes(self) -> list[Wake]:
        """Take the wakes that wait and are due."""
        return [Wake.from_json(body) for body in self._taken(Queue.MAIL_WAKE)]

    def parse(self) -> Counter[str]:
        """Import what waits to be imported; return the counts of it all."""
        counts: Counter[str] = Counter()
        for body in self._taken(Queue.MAIL_PARSE):
            counts.update(handle_parse(body, self.queues, clock=lambda: self.now))
        return counts

    def read(self, reason: WakeReason = WakeReason.TIMER) -> Counter[str]:
        """Read the mailbox a minute later, and do all that this puts into the queues; return the reads' counts."""
        self.later(minutes=1)
        counts = Counter(self.wake(reason))
        self.parse()
        while wakes := self.wakes():
            for each in wakes:
                counts.update(self.wake(each.reason, at=each.at))
            self.parse()
        return counts

    def _taken(self, queue: Queue) -> Iterator[str]:
        while taken := self.queues.take(queue.value):
            self.queues.remove(taken)
            yield taken.body

    @property
    def row(self) -> MailboxRow:
        return self._all(MailboxRow)[0]

    @property
    def folder(self) -> MailFolderRow:
        return self._all(MailFolderRow)[0]

    @property
    def cycle(self) -> ImportCycle:
        """The last read."""
        return self.cycles()[-1]

    def folders(self) -> list[MailFolderRow]:
        return self._all(MailFolderRow)

    def arrivals(self) -> list[MailArrival]:
        return self._all(MailArrival)

    def moves(self) -> list[MailMove]:
        return self._all(MailMove)

    def cycles(self) -> list[ImportCycle]:
        return self._all(ImportCycle)

    def mails(self) -> list[MailMessage]:
        return self._all(MailMessage)

    def subscriptions(self) -> list[GraphSubscription]:
        return self._all(GraphSubscription)

    def graph_ids(self) -> list[str]:
        """Return what came in, each as often as it is there."""
        return sorted(str(mail.graph_id) for mail in self.mails())

    def ids_in_the_mailbox(self) -> list[str]:
        return sorted(message.immutable_id for message in self.graph.messages())

    def _all(self, model: type) -> list:
        return list(self.db.scalars(select(model).order_by(model.id).execution_options(populate_existing=True)))


@contextmanager
def mailbox_world(db: Session) -> Iterator[World]:
    with FakeGraph(now=lambda: found.now) as graph, closing(_client(graph)) as mailbox:
        found = World(db=db, graph=graph, mailbox=mailbox)
        found.set(import_enabled=True, move_processed=False)
        yield found


def _client(graph: FakeGraph) -> GraphClient:
    return GraphClient(graph.mailbox.address, GraphLine(graph.url, None, sleep=_no_sleep))


async def _no_sleep(_: float) -> None:
    """Let retries come at once."""


def deliver(world: World, number: int, **facts: object) -> None:
    for _ in range(number):
        world.graph.deliver(**facts)


def delta_calls(world: World) -> int:
    return len(world.graph.calls_to("/messages/delta"))
