"""Where a request that an administrator's text asks for may go: to hosts of the internet, never to our own network."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from shared.clients.errors import Refused, Unavailable

LONGEST = 2000
LOOPBACK = ("localhost", "127.0.0.1", "::1")
AZURE_PLATFORM = ip_address("168.63.129.16")  # looks public, and is the host below every machine of Azure

Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """An address taken apart: `host` in the form that DNS and certificates know."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the `Host` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"

    def at(self, ip: str) -> str:
        """Return the address with the host named by its IP."""
        return f"{self.scheme}://{f'[{ip}]' if ':' in ip else ip}:{self.port}{self.path}"


def read_place(address: str, *, production: bool) -> Place:
    """Return the parts of an https address. Raise Refused with a sentence for who typed it, which never repeats it."""
    if not address.isascii() or not address.isprintable() or " " in address or "\\" in address:
        raise Refused("The address has characters that no address has. Copy it once more.")
    if len(address) > LONGEST:
        raise Refused(f"The address has more than {LONGEST:,} characters.")
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise Refused("This is no address.") from None
    _check_parts(parts, host, production=production)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(scheme=parts.scheme, host=host, port=port or (443 if parts.scheme == "https" else 80), path=path)


def checked_ip(place: Place, *, production: bool, resolve: Resolve) -> str:
    """Return the IP to connect to, IPv4 where there is one. Raise Refused when any of the host's IPs is of a network
    that is not the internet's, and Unavailable when its name is not known.

    The caller must connect to this IP: a second look-up could give another answer. DNS has no timeout of ours, the
    system's own ends it. A name that leads to a public IP behind which somebody forwards to our network is not seen.
    """
    try:
        found = [place.host] if is_ip(place.host) else resolve(place.host, place.port)
    except (OSError, UnicodeError):
        raise Unavailable("Its host name is not known.") from None
    if not found:
        raise Unavailable("Its host name is not known.")
    if production and not all(is_public(ip) for ip in found):
        raise Refused("Its host is in a private or reserved network, where no alarms are sent.")
    return next((ip for ip in found if ":" not in ip), found[0])


def is_public(ip: str) -> bool:
    """Tell whether an IP belongs to the internet; one that carries another one inside is judged by both."""
    address = ip_address(ip)
    return all(each.is_global and not each.is_multicast and each != AZURE_PLATFORM for each in _all_in(address))


def is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def resolve(host: str, port: int) -> list[str]:
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def _check_parts(parts: SplitResult, host: str, *, production: bool) -> None:
    if not host:
        raise Refused("The address must begin with https:// and name a host.")
    if parts.username is not None or parts.password is not None:
        raise Refused("The address must not hold a user name or password before its host.")
    if parts.scheme == "http" and not production and host in LOOPBACK:
        return
    if parts.scheme != "https":
        raise Refused("The address must begin with https://.")
    if production and (host in LOOPBACK or (is_ip(host) and not is_public(host))):
        raise Refused("Its host is in a private or reserved network, where no alarms are sent.")


def _all_in(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return the IP and those that it maps or tunnels to."""
    if isinstance(address, IPv4Address):
        return [address]
    carried = IPv4Address(address.packed[-4:]) if address.packed[:12] in _CARRIERS else None
    inner = (address.ipv4_mapped, address.sixtofour, carried)
    outer = [] if address.ipv4_mapped else [address]  # a mapped one is just another way to write an IPv4 address
    return [*outer, *(each for each in inner if each is not None)]


# 64:ff9b::/96, which networks translate, and ::/96, as the first draft of IPv6 wrote IPv4.
_CARRIERS = (bytes.fromhex("0064ff9b0000000000000000"), bytes(12))
