"""The egress guard: where a message may go, looked up once, and then gone to by number.

What enters: an address from the settings.
What leaves: a Target with the number that was checked, or why not.
The next room: `posting` and `mail`, which connect to that number and to no other.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from coordwatch.errors import PermanentError, TemporaryError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
# What is global to the library and yet no server of anybody's: site-local, protocol assignments, relays.
_NOBODYS = tuple(ipaddress.ip_network(one) for one in ("fec0::/10", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20"))
# Where clouds keep secrets outside of link-local: a wide network that is allowed does not mean them.
_CLOUDS = frozenset(
    ipaddress.ip_address(one)
    for one in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
_PORTS = {"https": 443, "http": 80}


class ForbiddenError(PermanentError):
    """The address is none that messages may go to."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect: the number that was looked up and checked, and the name that the certificate must carry."""

    number: str
    host: str
    port: int
    tls: bool
    path: str = "/"


def system_resolve(host: str, port: int) -> Sequence[str]:
    """Every number that the system knows for a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


# Where a company keeps its own servers. What is not here stays forbidden: link-local, where clouds keep their secrets, first.
INSIDE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(one)
    for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "127.0.0.0/8", "::1/128")
)


class Egress:
    """Judges addresses. Takes: `allowed`, networks that are not public and may be gone to all the same.

    `plain` lets http go to public addresses too, for a server that the settings name and that carries no messages.
    """

    def __init__(
        self, allowed: Sequence[Network] = (), resolve: Resolve = system_resolve, *, plain: bool = False
    ) -> None:
        self._allowed, self._resolve, self._plain = tuple(allowed), resolve, plain

    def of_url(self, url: str) -> Target:
        """Where a URL leads.

        Raises: ForbiddenError; TemporaryError when the name is not found just now
        """
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname or ""
        except ValueError:
            raise ForbiddenError("this is no URL") from None
        if parts.scheme not in _PORTS or not host:
            raise ForbiddenError(f"only https and http addresses are gone to, not '{parts.scheme[:20]}:'")
        if parts.username is not None:
            raise ForbiddenError("a name and a password in a URL end up in logs: take them out of it")
        tls = parts.scheme == "https"
        number = self.number(host, port or _PORTS[parts.scheme], encrypted=tls)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(number, host, port or _PORTS[parts.scheme], tls, path)

    def number(self, host: str, port: int, *, encrypted: bool) -> str:
        """The number of a host, looked up once; all its numbers must be ones that messages may go to.

        Raises: ForbiddenError; TemporaryError when the name is not found just now
        """
        try:
            numbers = [str(ipaddress.ip_address(host))]
        except ValueError:
            try:
                numbers = list(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                raise TemporaryError(f"the name {host} is not found ({error})") from None
        if not numbers:
            raise TemporaryError(f"the name {host} has no address")
        for number in numbers:
            self._judge(host, number, encrypted)
        return numbers[0]

    def _judge(self, host: str, number: str, encrypted: bool) -> None:
        address = ipaddress.ip_address(number.partition("%")[0])
        if any(_means(one, address) for one in self._allowed):
            return
        reason = _reason(address)
        if reason is not None:
            raise ForbiddenError(
                f"{host} leads to {number}, which is {reason}: if messages shall go there, add it to 'egress: {{allow: [...]}}'"
            )
        if not encrypted and not self._plain:
            raise ForbiddenError(f"{host} is a public address: write https, or messages could be read on the way")


def _means(allowed: Network, address: Address) -> bool:
    """Whether a network that is allowed is meant to let this address in."""
    alone = allowed.prefixlen == allowed.max_prefixlen
    return allowed.version == address.version and address in allowed and (alone or address not in _CLOUDS)


def _reason(address: Address) -> str | None:
    """Why an address is not public, None when it is."""
    inner = _inside(address)
    if inner is not None:
        return _reason(inner) or "written inside another address"
    if address in _CLOUDS:
        return "where a cloud keeps its secrets"
    if address.is_loopback:
        return "this machine itself"
    if address.is_link_local:
        return "link-local, where clouds keep their secrets"
    if address.is_multicast:
        return "a multicast address"
    if any(address.version == one.version and address in one for one in _NOBODYS):
        return "not public"
    if not address.is_global or address.is_reserved or address.is_unspecified:
        return "not public"
    return None


def _inside(address: Address) -> Address | None:
    """The IPv4 address that is written inside an IPv6 address."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in one for one in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
