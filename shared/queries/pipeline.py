"""The health of the pipeline: until when mails were read, what waits, and which timers live."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, false, func, select
from sqlalchemy.orm import Session

from shared.domain.mailflow import MoveState, Source, SubscriptionState
from shared.domain.watch import SHORTEST_STALE, STALE_INTERVALS
from shared.models.mailbox import GraphSubscription, MailArrival, MailboxRow, MailFolderRow, MailMove
from shared.models.pipeline import DeadLetter, Heartbeat, Watch
from shared.models.system import ImportCycle, SystemSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadSource:
    """Where mails come from by themselves, as the environment says: a mailbox by its address, or the mail folder."""

    source: Source
    address: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportState:
    """How the automatic import does. Everything that came before `covered_until` was read."""

    enabled: bool
    interval: timedelta
    on_since: datetime | None
    covered_until: datetime | None
    first_read_at: datetime | None
    last_error: str
    last_error_at: datetime | None
    needs_person: bool
    is_sandbox: bool
    throttled_until: datetime | None
    last_notification_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """One read of a source; an unfinished one is under way or was interrupted."""

    source: Source
    trigger: str
    started_at: datetime
    finished_at: datetime | None
    complete: bool
    counts: Mapping[str, int]
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Beat:
    """When a timer last ran, and last ran well."""

    name: str
    every: timedelta
    beat_at: datetime
    good_at: datetime | None
    last_error: str
    healed_at: datetime | None

    def is_stale(self, now: datetime) -> bool:
        """Tell whether it has not run well for too long."""
        return now - (self.good_at or self.beat_at) > max(STALE_INTERVALS * self.every, SHORTEST_STALE)


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderState:
    """One folder of the mailbox, how far it was read, and whether Graph tells us of new mails in it."""

    folder_id: int
    graph_id: str
    path: str
    active: bool
    read_until: datetime | None
    resyncs: int
    subscription: SubscriptionState | None
    expires_at: datetime | None
    subscription_error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """What waits in the database to be dealt with."""

    arrivals: int
    oldest_arrival_at: datetime | None
    moves: int
    moves_given_up: int
    dead_letters: int


def import_state(db: Session, read: ReadSource) -> ImportState:
    """Return how the import of a source does; one statement, because every page asks."""
    cycles = _cycles_of(read)
    covered = select(func.max(ImportCycle.started_at)).where(*cycles, ImportCycle.complete).scalar_subquery()
    first = select(func.min(ImportCycle.started_at)).where(*cycles).scalar_subquery()
    row = db.execute(
        select(
            SystemSettings.import_enabled,
            SystemSettings.import_interval_minutes,
            SystemSettings.is_sandbox,
            select(Watch.import_on_since).scalar_subquery().label("on_since"),
            covered.label("covered_until"),
            first.label("first_read_at"),
            func.coalesce(MailboxRow.last_error, "").label("last_error"),
            MailboxRow.last_error_at,
            func.coalesce(MailboxRow.needs_person, false()).label("needs_person"),
            MailboxRow.throttled_until,
            MailboxRow.last_notification_at,
        ).outerjoin_from(SystemSettings, MailboxRow, MailboxRow.address == read.address)
    ).one()
    facts = row._asdict()
    interval = timedelta(minutes=facts.pop("import_interval_minutes"))
    return ImportState(enabled=facts.pop("import_enabled"), interval=interval, **facts)


def last_reads(db: Session, number: int, read: ReadSource | None = None) -> list[Read]:
    """Return the last reads, newest first: of one source, or of all."""
    query = select(
        ImportCycle.source,
        ImportCycle.trigger,
        ImportCycle.started_at,
        ImportCycle.finished_at,
        ImportCycle.complete,
        ImportCycle.counts,
        ImportCycle.error,
    )
    if read is None:
        query = query.order_by(ImportCycle.id.desc())
    else:  # the order of the index that has the source
        query = query.where(*_cycles_of(read)).order_by(ImportCycle.started_at.desc())
    found = db.execute(query.limit(number))
    return [Read(**row._asdict()) for row in found]


def heartbeats(db: Session) -> list[Beat]:
    """Return the timers by name."""
    return [
        Beat(
            name=row.name,
            every=timedelta(seconds=row.every_seconds),
            beat_at=row.beat_at,
            good_at=row.good_at,
            last_error=row.last_error,
            healed_at=row.healed_at,
        )
        for row in db.scalars(select(Heartbeat).order_by(Heartbeat.name))
    ]


def folder_states(db: Session, address: str) -> list[FolderState]:
    """Return the folders of the mailbox that are or were read, by path."""
    found = db.execute(
        select(
            MailFolderRow.id.label("folder_id"),
            MailFolderRow.graph_id,
            MailFolderRow.path,
            MailFolderRow.active,
            MailFolderRow.read_until,
            MailFolderRow.resyncs,
            GraphSubscription.state.label("subscription"),
            GraphSubscription.expires_at,
            func.coalesce(GraphSubscription.last_error, "").label("subscription_error"),
        )
        .join(MailboxRow, MailboxRow.id == MailFolderRow.mailbox_id)
        .outerjoin(GraphSubscription, GraphSubscription.folder_id == MailFolderRow.id)
        .where(MailboxRow.address == address)
        .order_by(func.lower(MailFolderRow.path), MailFolderRow.id)
    )
    return [FolderState(**row._asdict()) for row in found]


def waiting(db: Session) -> Waiting:
    """Return what waits, whatever its source."""
    row = db.execute(
        select(
            select(func.count()).select_from(MailArrival).scalar_subquery().label("arrivals"),
            select(func.min(MailArrival.arrived_at)).scalar_subquery().label("oldest_arrival_at"),
            _moves(MoveState.WAITING).label("moves"),
            _moves(MoveState.GIVEN_UP).label("moves_given_up"),
            select(func.count())
            .select_from(DeadLetter)
            .where(DeadLetter.settled_at.is_(None))
            .scalar_subquery()
            .label("dead_letters"),
        )
    ).one()
    return Waiting(**row._asdict())


def _moves(state: MoveState) -> ScalarSelect[int]:
    return select(func.count()).select_from(MailMove).where(MailMove.state == state).scalar_subquery()


def _cycles_of(read: ReadSource) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for reads of this source; those of a mailbox that was used before are others."""
    if read.source is not Source.GRAPH:
        return (ImportCycle.source == read.source,)
    mailbox_id = select(MailboxRow.id).where(MailboxRow.address == read.address).scalar_subquery()
    return (ImportCycle.source == read.source, ImportCycle.mailbox_id == mailbox_id)
