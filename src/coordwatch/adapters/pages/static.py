"""The files a page needs beside its HTML: style, script, htmx and the mark, each under a name with its hash.

What enters: the folder `static/`.
What leaves: responses that a browser may keep for ever, compressed once.
The next room: `shell`, which asks for their addresses.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request, Response

_FOLDER = Path(__file__).with_name("static")
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"
_SAFE = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, ready to be sent."""

    name: str
    kind: str
    body: bytes
    packed: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """All files by the name under which they are served, and that name by the file's own."""

    by_name: Mapping[str, StaticFile]
    names: Mapping[str, str]

    def address(self, file: str) -> str:
        """Where a file is served, such as `/static/pages.3f2a91c07b.css`."""
        return f"/static/{self.names[file]}"

    def answer(self, request: Request, name: str, cache: str = _FOR_EVER) -> Response:
        """A file, or 404; 304 when the browser has it."""
        file = self.by_name.get(name)
        if file is None:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        headers = {**_SAFE, "ETag": file.etag, "Cache-Control": cache, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == file.etag:
            return Response(status_code=304, headers=headers)
        if accepts_gzip(request):
            return Response(file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.kind)
        return Response(file.body, headers=headers, media_type=file.kind)


def load_static() -> StaticFiles:
    """Read the folder once."""
    files = {}
    for path in sorted(_FOLDER.iterdir()):
        kind = _KINDS.get(path.suffix)
        if kind is None:
            continue
        body = path.read_bytes()
        digest = hashlib.sha256(body).hexdigest()[:10]
        name = f"{path.stem}.{digest}{path.suffix}"
        files[path.name] = StaticFile(name, kind, body, gzip.compress(body, 9, mtime=0), f'"{digest}"')
    return StaticFiles({file.name: file for file in files.values()}, {own: file.name for own, file in files.items()})


def accepts_gzip(request: Request) -> bool:
    """Whether the browser takes a compressed body."""
    return "gzip" in request.headers.get("accept-encoding", "")
