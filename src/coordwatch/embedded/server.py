"""The HTTP server in a thread of its own.

What enters: an ASGI application, an address.
What leaves: answers, until it is told to end.
The next room: `service`, which starts and ends it.
"""

import socket
import threading

import uvicorn
from starlette.types import ASGIApp

from coordwatch.errors import PermanentError

_END_SECONDS = 5
_WAITING_MAX = 128


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; taken first, so that a taken port is said before anything else is done.

    Raises: PermanentError with the next move
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_WAITING_MAX)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise PermanentError(
            f"cannot listen on {host}:{port} ({reason}): end what listens there, or take another port "
            "('bind' in the settings, --port of a demo)"
        ) from None
    return listening


def address_of(listening: socket.socket) -> str:
    """The address for a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class HttpServer:
    """Serves an application on a listening socket."""

    def __init__(self, application: ASGIApp, listening: socket.socket) -> None:
        config = uvicorn.Config(
            application,
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            # What a proxy says of an address is believed by nobody here: whoever connects could say it too.
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=_END_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._listening = listening
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="coordwatch-http", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it still answers."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End open requests, then end."""
        self._server.should_exit = True
        self._thread.join(_END_SECONDS * 2)
        self._listening.close()
