"""The headers that every answer carries, whoever made it: nothing is guessed, framed, kept or sent on.

What enters: the start of an answer.
What leaves: the same with what its maker did not say.
The next room: `guard`, which puts them on everything.
"""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

ALWAYS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# A year, as browsers ask before they remember it; said only where the site is known to answer by https.
TRANSPORT = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


def with_headers(send: Send, *, https: bool) -> Send:
    """The same way out, which adds what is missing."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in ALWAYS.items():
                headers.setdefault(name, value)
            if https:
                headers.setdefault(*TRANSPORT)
        await send(message)

    return sent


def unkept(send: Send) -> Send:
    """The same way out for what shows personal data: no browser keeps it, so that nothing of it is left when it is hidden again."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["Cache-Control"] = "no-store"
        await send(message)

    return sent
