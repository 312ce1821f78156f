"""Which Proxmox machine wrote a mail."""

import re

from shared.domain.mail import Mail

_AUTHOR = re.compile(r"Proxmox (?:VE|Backup Server) - (?P<node>[\w.-]+)")
_WEB_INTERFACE = re.compile(r"https://(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}/#")


def short_name(mail: Mail) -> str | None:
    """Return the node's own short name, as its notifications sign."""
    author = _AUTHOR.fullmatch(mail.from_name.strip())
    return author["node"] if author else None


def machine(mail: Mail) -> str | None:
    """Return the full name of the machine, or the best there is.

    The link at the end of the body is surest; where it was cut off or never stood, the sender
    `root@<full name>` says the same. A short name alone ("pbs") is every other customer's too.
    """
    if link := _WEB_INTERFACE.search(mail.body):
        return link["host"]
    account, _, host = mail.from_address.partition("@")
    return host if account == "root" and host else short_name(mail)
