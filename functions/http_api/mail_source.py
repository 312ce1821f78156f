"""Where mails come from by themselves, as this process's environment says."""

from shared.domain.mailflow import Source
from shared.queries.pipeline import ReadSource
from shared.settings import settings


def mail_source() -> ReadSource:
    address = settings().graph_mailbox
    return ReadSource(source=Source.GRAPH, address=address) if address else ReadSource(source=Source.FOLDER)


def source_name() -> str:
    """Return what pages call it, in the middle of a sentence."""
    return "mailbox" if settings().graph_mailbox else "mail folder"
