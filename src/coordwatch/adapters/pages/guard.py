"""What keeps the pages safe: response headers, where a form may come from, how much of it is read.

What enters: requests.
What leaves: headers, form fields, or the sentence that says why a form was refused.
The next room: `router`, which answers.
"""

from urllib.parse import parse_qsl, quote, urlsplit

from fastapi import Request, Response

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_FORM_BYTES = 65_536
_FORM_FIELDS = 500
# A header holds no other letters: these stay, all others are written as an address writes them.
_IN_ADDRESSES = "".join(map(chr, range(ord("!"), ord("~") + 1)))


class FormRefused(Exception):
    """A form that is not read. `status` is the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_form(request: Request) -> list[tuple[str, str]]:
    """The fields of a form that one of our own pages sent.

    Raises: FormRefused when it comes from another site, is too large, or is no form
    """
    _refuse_strangers(request)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _FORM_BYTES:
            raise FormRefused(413, f"The form is larger than {_FORM_BYTES} bytes. Send less of it at a time.")
    try:
        text = body.decode("utf-8")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_FORM_FIELDS, errors="replace")
    except ValueError:
        raise FormRefused(400, f"The form is not readable. Send UTF-8 and at most {_FORM_FIELDS} fields.") from None


def _refuse_strangers(request: Request) -> None:
    """Browsers say where a form comes from; a client that says nothing is no browser and has no one's cookies."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        strange = site not in ("same-origin", "none")
    else:
        strange = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if strange:
        raise FormRefused(403, "This form came from another site. Open the page here and send it again.")


def own_path(address: str | None, default: str = "/") -> str:
    """A path on this site to go back to; anything else becomes the default."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")):
        return default
    if any(letter < " " or letter == "\x7f" for letter in address):
        return default
    return quote(address, safe=_IN_ADDRESSES)


def going(address: str) -> Response:
    """What sends the browser on to another page after a form."""
    return Response(status_code=303, headers={**HEADERS, "Location": address, "Cache-Control": "no-store"})
