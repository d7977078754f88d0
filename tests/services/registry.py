"""A schema registry on loopback, by the paths of Confluent's: schemas are put in, and given out by id or by subject.

Enters: schemas, over HTTP or by `register`. Leaves: their ids. A Protobuf schema is put in as the base64 of its descriptor,
which the real one makes of a .proto file; it is given out only to who asks for `format=serialized`, as there.
"""

import json
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.services.processes import LOOPBACK

NO_TEXT = 'syntax = "proto3"; // the text of the file, of which nobody makes anything here'


@dataclass
class Kept:
    """What a registry keeps; it outlives a server that is stopped and begun again."""

    schemas: dict[int, dict[str, Any]] = field(default_factory=dict)
    subjects: dict[str, list[int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    login: tuple[str, str] | None = None
    token: str | None = None
    broken: int | None = None  # the status of every answer, while it is set

    def register(
        self, subject: str, schema: str, kind: str = "AVRO", references: Sequence[tuple[str, str, int]] = ()
    ) -> int:
        """Put a schema in, and give its id; `references` are (name, subject, version)."""
        row: dict[str, Any] = {"schema": schema}
        if kind != "AVRO":  # left out of the answer there as well
            row["schemaType"] = kind
        if references:
            row["references"] = [{"name": name, "subject": of, "version": at} for name, of, at in references]
        number = len(self.schemas) + 1
        self.schemas[number] = row
        self.subjects.setdefault(subject, []).append(number)
        return number


class RegistryServer(ThreadingHTTPServer):
    """Answers for what is kept."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, kept: Kept, port: int = 0) -> None:
        super().__init__((LOOPBACK, port), _Asked)
        self.kept = kept

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"

    def lets_in(self, authorization: str | None) -> bool:
        kept = self.kept
        if kept.token is not None:
            return authorization == f"Bearer {kept.token}"
        return kept.login is None or authorization == f"Basic {b64encode(':'.join(kept.login).encode()).decode()}"


class _Asked(BaseHTTPRequestHandler):
    server: RegistryServer

    def do_GET(self) -> None:
        kept, parts = self.server.kept, urlsplit(self.path)
        kept.asked.append(self.path)
        if kept.broken is not None:
            self._answer(kept.broken, {"error_code": 50001, "message": "the store is away"})
        elif not self.server.lets_in(self.headers.get("Authorization")):
            self._answer(401, {"error_code": 401, "message": "Unauthorized"})
        else:
            serialized = parse_qs(parts.query).get("format") == ["serialized"]
            self._answer(*self._found([unquote(one) for one in parts.path.strip("/").split("/")], serialized))

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        named = [(one["name"], one["subject"], one["version"]) for one in said.get("references", ())]
        subject = unquote(self.path.split("/")[2])
        number = self.server.kept.register(subject, said["schema"], said.get("schemaType", "AVRO"), named)
        self._answer(200, {"id": number})

    def _found(self, path: list[str], serialized: bool) -> tuple[int, Any]:
        kept = self.server.kept
        match path:
            case ["schemas", "types"]:
                return 200, ["AVRO", "JSON", "PROTOBUF"]
            case ["schemas", "ids", text] if text.isdecimal():
                if int(text) not in kept.schemas:
                    return 404, {"error_code": 40403, "message": f"Schema {text} not found"}
                return 200, _given(kept.schemas[int(text)], serialized)
            case ["subjects", subject, "versions", version]:
                numbers = kept.subjects.get(subject, [])
                if not version.isdecimal() or not 1 <= int(version) <= len(numbers):
                    return 404, {"error_code": 40402, "message": f"Version {version} not found."}
                number = numbers[int(version) - 1]
                row = {"subject": subject, "version": int(version), "id": number}
                return 200, row | _given(kept.schemas[number], serialized)
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

    def _answer(self, status: int, said: Any) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *said: object) -> None:
        """Nothing: a test reads `asked`."""


def _given(row: dict[str, Any], serialized: bool) -> dict[str, Any]:
    return row | {"schema": NO_TEXT} if row.get("schemaType") == "PROTOBUF" and not serialized else row


@contextmanager
def registry(
    kept: Kept | None = None, *, port: int = 0, certificate: tuple[Path, Path] | None = None
) -> Iterator[RegistryServer]:
    """Serve until this ends; with a certificate and its key, over TLS."""
    with RegistryServer(kept or Kept(), port) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield server
        finally:
            server.shutdown()
            serving.join()
