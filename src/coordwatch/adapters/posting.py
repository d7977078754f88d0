"""Posting: one request to one checked number, with a limit to its time and to what is read of the answer.

What enters: a URL, headers, a body.
What leaves: a Reply; TemporaryError or ForbiddenError when there is none. Redirects are answers, never followed.
The next room: the channels, which know what a reply means.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path

from coordwatch.adapters.egress import Egress, Target
from coordwatch.clock import Clock
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.events.times import SECOND
from coordwatch.notify.delivery import Answer, by_status

READ_MAX = 64 * 1024
TIMEOUT = 10.0
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status, the first bytes of the body, Retry-After. Units: microseconds."""

    status: int
    body: bytes
    retry_after: int | None = None

    def answer(self) -> Answer:
        """What the status means, with the beginning of what was said."""
        return by_status(self.status, shown(self.body), self.retry_after)


@dataclass(frozen=True, slots=True)
class Poster:
    """Posts behind the egress guard. Takes: `ca`, who vouches for receivers inside a company. Units: `timeout` in seconds."""

    egress: Egress
    clock: Clock
    ca: Path | None = None
    timeout: float = TIMEOUT
    tls: ssl.SSLContext = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tls", tls_context(self.ca))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send one body.

        Raises: ForbiddenError; TemporaryError when nothing came back, or not in time
        """
        return self._ask("POST", self.egress.of_url(url), body, headers)

    def get(self, url: str, headers: Mapping[str, str]) -> Reply:
        """Read one answer. Raises: as `post`."""
        return self._ask("GET", self.egress.of_url(url), None, headers)

    def _ask(self, method: str, target: Target, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        connection = Pinned(target, self.timeout, self.tls)
        # A receiver that gives one byte now and then would else hold the sender for ever.
        alarm = threading.Timer(self.timeout, connection.cut)
        alarm.daemon = True
        alarm.start()
        try:
            connection.request(
                method, target.path, body, dict(headers) | {"User-Agent": "coordwatch", "Connection": "close"}
            )
            response = connection.getresponse()
            read = response.read(READ_MAX)
            if connection.was_cut:
                raise TemporaryError(f"{target.host} did not answer within {self.timeout:.0f} s")
            return Reply(response.status, read, self._retry_after(response.getheader("Retry-After")))
        except (OSError, http.client.HTTPException, ValueError) as error:
            if connection.was_cut or isinstance(error, TimeoutError):
                raise TemporaryError(f"{target.host} did not answer within {self.timeout:.0f} s") from None
            raise TemporaryError(f"{target.host} does not answer ({type(error).__name__}: {error})") from None
        finally:
            alarm.cancel()
            connection.close()

    def _retry_after(self, text: str | None) -> int | None:
        """Seconds, or an instant of HTTP; None for nothing or nonsense."""
        if not text:
            return None
        if text.strip().isdecimal() and len(text) < 10:
            return int(text) * SECOND
        with suppress(ValueError, TypeError):
            instant = parsedate_to_datetime(text)
            return max(0, int(instant.timestamp()) * SECOND - self.clock.now())
        return None


class Pinned(http.client.HTTPConnection):
    """A connection to the number that was checked, whatever the name means by now."""

    def __init__(self, target: Target, timeout: float, tls: ssl.SSLContext) -> None:
        super().__init__(target.host, target.port, timeout=timeout)
        self._target, self._tls, self.was_cut = target, tls, False

    def connect(self) -> None:
        self.sock = socket.create_connection((self._target.number, self._target.port), self.timeout)
        if self._target.tls:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._target.host)
        if self.was_cut:  # while there was nothing yet that could be ended
            raise TimeoutError("the time was over before the connection stood")

    def cut(self) -> None:
        """End whatever goes on, from another thread."""
        self.was_cut = True
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


def tls_context(ca: Path | None) -> ssl.SSLContext:
    """Verified TLS, 1.2 at least; there is no switch to turn that off.

    Raises: PermanentError when the `ca` cannot be used
    """
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise PermanentError(f"egress: the ca {ca} cannot be used: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def shown(body: bytes) -> str:
    """The beginning of an answer on one line, for people."""
    text = body[: 4 * _SHOWN].decode("utf-8", "replace")
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:_SHOWN]
