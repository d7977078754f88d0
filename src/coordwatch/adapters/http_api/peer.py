"""Where a request comes from, for the counting of tries and for nothing else: no address opens anything.

What enters: who connected, what stands in X-Forwarded-For, the proxies of the settings.
What leaves: an address; of an IPv6 one the network, since whoever has one address of it has them all.
The next room: `guard`, which writes it on the request.
"""

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_HOPS_MAX = 50
_OWN_BITS = 64


def peer_of(scope: Scope, headers: Headers, proxies: Sequence[Network]) -> str:
    """The nearest address that is none of our proxies': what stands to the left of it anybody may have written."""
    client = scope.get("client")
    at = _address(client[0]) if client else None
    if at is None:
        return ""
    hops = ",".join(headers.getlist("x-forwarded-for")).split(",") if _is_ours(at, proxies) else []
    for hop in reversed(hops[-_HOPS_MAX:]):
        further = _address(hop.strip())
        if further is None:
            break
        at = further
        if not _is_ours(at, proxies):
            break
    return _shared(at)


def _is_ours(address: Address, proxies: Sequence[Network]) -> bool:
    return any(one.version == address.version and address in one for one in proxies)


def _address(text: str) -> Address | None:
    """An address, also with a port behind it, as some proxies write it."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _shared(address: Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address, _OWN_BITS), strict=False))
