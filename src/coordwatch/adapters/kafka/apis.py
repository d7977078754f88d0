"""What a broker can do: the first question of Kafka's protocol, asked by hand, since no client library passes it on.

What enters: an address, and a TLS context where the listener speaks TLS. What leaves: the versions of each request that the
broker knows, from which its own version and what it lacks can be told. The next room: `doctor`.
"""

import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass

_API_VERSIONS, _TRANSACTIONAL_COMMIT, _BEGIN_PRODUCER = 18, 28, 22
_REQUEST = struct.pack(">hhih", _API_VERSIONS, 0, 1, -1)
_ANSWER_MAX = 1 << 16
# The newest request that each release brought: (key of the request, least newest version, release). Newest first.
_RELEASES = (
    (90, 0, (4, 1)),
    (76, 0, (4, 0)),
    (80, 0, (3, 9)),
    (75, 0, (3, 8)),
    (74, 0, (3, 7)),
    (1, 15, (3, 5)),
    (65, 0, (3, 0)),
    (60, 0, (2, 8)),
    (_TRANSACTIONAL_COMMIT, 3, (2, 5)),
)
_TLS_BEFORE_OURS = b"\x15\x03"  # a TLS alert: the listener took our question for a broken greeting


@dataclass(frozen=True, slots=True)
class Apis:
    """What one broker answered. `tls` is the version spoken; `expires` when its certificate ends, as OpenSSL writes it."""

    versions: Mapping[int, tuple[int, int]]
    tls: str | None = None
    expires: str | None = None

    @property
    def release_number(self) -> tuple[int, int]:
        """The release of Kafka that it is like, at least; (0, 0) for one before 2.5."""
        for key, version, release in _RELEASES:
            if key in self.versions and self.versions[key][1] >= version:
                return release
        return (0, 0)

    @property
    def release(self) -> str:
        """The release in words."""
        major, minor = self.release_number
        return f"{major}.{minor} or newer" if major else "before 2.5"

    @property
    def transactions(self) -> bool:
        """Whether a commit can be one transaction that a lost partition refuses (KIP-447)."""
        return _BEGIN_PRODUCER in self.versions and self.versions.get(_TRANSACTIONAL_COMMIT, (0, 0))[1] >= 3


class SpeaksTlsError(OSError):
    """The listener speaks TLS, and was asked without."""


def ask(address: tuple[str, int], context: ssl.SSLContext | None, patience: float) -> Apis:
    """Ask a broker what it can do; no login is needed for that.

    Units:  `patience` in seconds, for each step
    Raises: OSError when it cannot be reached or does not speak Kafka here; ssl.SSLError among them, and SpeaksTlsError
    """
    with socket.create_connection(address, patience) as plain:
        if context is None:
            return Apis(_versions(_talk(plain)))
        with context.wrap_socket(plain, server_hostname=address[0]) as secured:
            certificate = secured.getpeercert() or {}
            expires = certificate.get("notAfter")
            answer = _talk(secured)
            return Apis(_versions(answer), secured.version(), expires if isinstance(expires, str) else None)


def _talk(connection: socket.socket) -> bytes:
    connection.sendall(struct.pack(">i", len(_REQUEST)) + _REQUEST)
    head = _exactly(connection, 4)
    if head.startswith(_TLS_BEFORE_OURS):
        raise SpeaksTlsError("the listener speaks TLS")
    (length,) = struct.unpack(">i", head)
    if not 0 < length <= _ANSWER_MAX:
        raise OSError("the listener does not speak Kafka's protocol")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, length: int) -> bytes:
    got = b""
    while len(got) < length:
        more = connection.recv(length - len(got))
        if not more:
            raise OSError("the connection was closed")
        got += more
    return got


def _versions(answer: bytes) -> dict[int, tuple[int, int]]:
    """The body: correlation, error, then (key, least, newest) each."""
    if len(answer) < 10:
        raise OSError("the answer of the broker is too short")
    _, _, count = struct.unpack_from(">ihi", answer)
    room = (len(answer) - 10) // 6
    triples = struct.iter_unpack(">hhh", answer[10 : 10 + 6 * min(max(count, 0), room)])
    return {key: (least, newest) for key, least, newest in triples}
