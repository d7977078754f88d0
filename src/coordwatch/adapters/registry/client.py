"""The registry over HTTP, by the paths that Confluent's has and others copied: a schema by its id, with all it refers to.

What enters: an id. What leaves: a Registered; None when the registry knows no such schema; TemporaryError for whatever else
it answers, since a good record must not be given up because a server is down. The next room: `decoding`.
"""

import base64
import http.client
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from coordwatch.adapters.egress import INSIDE, Egress, ForbiddenError
from coordwatch.adapters.posting import Pinned
from coordwatch.codec import NotJson, decode_json
from coordwatch.errors import PermanentError, TemporaryError

AVRO, JSON, PROTOBUF = "AVRO", "JSON", "PROTOBUF"
REFERENCES_MAX = 200
_BYTES_MAX = 8_000_000
_NOT_THERE = frozenset((40401, 40402, 40403))  # of the subject, its version, the schema


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """Where the registry is and how it knows us. Units: `timeout` of one question, in seconds."""

    url: str
    login: tuple[str, str] | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    ca: Path | None = None
    timeout: float = 5.0

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class Registered:
    """One schema: its kind (AVRO, JSON, PROTOBUF), its text, and those it refers to, each behind what it needs itself.

    A Protobuf schema is the base64 of a FileDescriptorProto; `references` are pairs of a name and a schema.
    """

    kind: str
    text: str
    references: tuple[tuple[str, str], ...] = ()


class RegistryClient:
    """Asks one registry; holds a TLS context and nothing else. Raises: PermanentError when the `ca` cannot be used."""

    def __init__(self, access: RegistryAccess, egress: Egress | None = None) -> None:
        self.access = access
        self._egress = egress or Egress(INSIDE, plain=True)
        self._path = urlsplit(access.url).path.rstrip("/")
        self._tls = _context(access.ca)

    def schema(self, number: int) -> Registered | None:
        """Give a schema by its id, None when there is none.

        Raises: TemporaryError for every other answer, and for none
        """
        found = self._ask(f"/schemas/ids/{number}")
        if found is None:
            return None
        kind = str(found.get("schemaType") or AVRO).upper()
        form = "?format=serialized" if kind == PROTOBUF else ""
        if form:
            found = self._ask(f"/schemas/ids/{number}{form}") or {}
        references: dict[str, str] = {}
        if kind != JSON:  # nothing is needed to read JSON but the bytes
            for name, text in self._references(found, form, references):
                references.setdefault(name, text)
        return Registered(kind, _text(found), tuple(references.items()))

    def answers(self) -> None:
        """See that it is a registry, and lets us in. Raises: TemporaryError."""
        self._ask("/schemas/types")

    def _references(self, of: dict[str, Any], form: str, known: dict[str, str]) -> Iterator[tuple[str, str]]:
        """The schemas that one refers to, and those that these need before them; each once."""
        for one in of.get("references") or ():
            name, subject, version = str(one.get("name")), str(one.get("subject")), str(one.get("version"))
            if name in known:
                continue
            if len(known) >= REFERENCES_MAX:
                raise TemporaryError(f"{self.access}: a schema refers to more than {REFERENCES_MAX} others")
            found = self._ask(f"/subjects/{quote(subject, safe='')}/versions/{quote(version, safe='')}{form}")
            if found is None:
                raise TemporaryError(
                    f"{self.access}: a schema refers to version {version} of '{subject}', which is gone"
                )
            known[name] = ""  # seen, so that schemas that refer to each other come to an end
            yield from self._references(found, form, known)
            del known[name]
            yield name, _text(found)

    def _ask(self, path: str) -> dict[str, Any] | None:
        status, body = self._get(path)
        try:
            found = decode_json(body)
        except NotJson:
            found = None
        code = found.get("error_code") if isinstance(found, dict) else None
        if status == http.client.NOT_FOUND and code in _NOT_THERE:
            return None
        if status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
            raise TemporaryError(
                f"{self.access} does not let us in ({status}): set what kafka.registry needs for a login"
            )
        if status != http.client.OK or not isinstance(found, dict | list):
            raise TemporaryError(f"{self.access} answered {path} with {status}, and not as a schema registry does")
        return found if isinstance(found, dict) else {}

    def _get(self, path: str) -> tuple[int, bytes]:
        """One question on a connection of its own; no redirect is followed, since the login goes with it."""
        connection = self._connection(path)
        try:
            connection.request("GET", self._path + path, headers=self._headers())
            response = connection.getresponse()
            return response.status, response.read(_BYTES_MAX)
        except (OSError, http.client.HTTPException) as error:
            raise TemporaryError(f"{self.access} does not answer ({type(error).__name__}: {error})") from None
        finally:
            connection.close()

    def _connection(self, path: str) -> http.client.HTTPConnection:
        """A connection to the number that the name means now, if it is one that a registry may have."""
        try:
            target = self._egress.of_url(self.access.url)
        except ForbiddenError as error:
            raise TemporaryError(f"{self.access} is not asked for {path[:80]}: {error}") from None
        return Pinned(target, self.access.timeout, self._tls)

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/vnd.schemaregistry.v1+json, application/json"}
        if self.access.token is not None:
            headers["Authorization"] = f"Bearer {self.access.token}"
        elif self.access.login is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(':'.join(self.access.login).encode()).decode()}"
        return headers


def _text(found: dict[str, Any]) -> str:
    text = found.get("schema")
    return text if isinstance(text, str) else ""


def _context(ca: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ValueError) as error:
        raise PermanentError(f"kafka.registry: {ca} cannot be used ({error}): name a PEM file of this user") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
