"""What a request tells about who sends it: the address, and where he may be sent afterwards."""

import ipaddress

from fastapi import Request

from shared.settings import settings


def client_address(request: Request) -> str:
    """Return the address of the browser, as the outermost proxy that we trust saw it.

    The chain is `X-Forwarded-For`, then the peer if the server knows it; the platform's adapter does not. The last
    link is written by somebody we trust, and one more for each of TRUSTED_PROXIES; the ones before can be invented.
    """
    forwarded = request.headers.get("x-forwarded-for", "")
    chain = [link.strip() for link in forwarded.split(",") if link.strip()]
    if request.client is not None:
        chain.append(request.client.host)
    if not chain:
        return ""
    return _without_port(chain[-min(1 + settings().trusted_proxies, len(chain))])


def safe_next(target: str) -> str:
    """Return `target` when it is a path of ours, else the start page. Never lets anybody redirect elsewhere."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if is_path and target.isprintable() and "\\" not in target else "/"


def _without_port(link: str) -> str:
    if link.startswith("["):
        link = link[1:].partition("]")[0]
    elif link.count(":") == 1:
        link = link.partition(":")[0]
    try:
        return str(ipaddress.ip_address(link))
    except ValueError:
        return "unknown"
