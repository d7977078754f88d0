"""Decoding by the schemas of a registry, each of which is asked for once and remembered.

What enters: the bytes of a record. What leaves: plain data; a refusal for bytes that can never be read (a schema that the
registry does not know, or that they do not fit); TemporaryError when the registry did not answer for so long that
somebody should be told. The next room: `sources.decode`.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from coordwatch.adapters.registry.avro import avro_reader
from coordwatch.adapters.registry.client import AVRO, JSON, PROTOBUF, Registered, RegistryClient
from coordwatch.adapters.registry.protobuf import protobuf_reader
from coordwatch.clock import Clock
from coordwatch.codec import decode_json
from coordwatch.errors import TemporaryError
from coordwatch.events.times import SECOND
from coordwatch.sources.decode import REGISTRY_HEAD
from coordwatch.sources.record import MapRejectReason, RefusedError, Stage

Read = Callable[[bytes], Any]
_log = logging.getLogger("coordwatch.registry")
_MAKERS: dict[str, Callable[[Registered], Read]] = {
    AVRO: avro_reader,
    PROTOBUF: protobuf_reader,
    JSON: lambda schema: decode_json,
}
# A schema may be registered late, behind the first record that needs it; so "no" is not for ever.
UNKNOWN_FOR = 60 * SECOND
UNKNOWN_MAX = 10_000
# Units: seconds. How long a record waits before the process ends, to try again from the beginning.
PATIENCE = 20.0
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 2.0


class RegistryDecoder:
    """A SchemaDecoder of one registry. One thread decodes; any thread may ask for `trouble`.

    Units: `patience` in seconds
    """

    def __init__(self, client: RegistryClient, clock: Clock, patience: float = PATIENCE) -> None:
        self._client, self._clock, self._patience = client, clock, patience
        self._readers: dict[int, Read] = {}
        self._unknown: dict[int, int] = {}
        self._pause = threading.Event()  # never set: it only waits
        self.trouble: str | None = None
        """Why records wait for the registry at this moment; None while they do not."""

    def __call__(self, value: bytes) -> Any:
        """Decode a value that begins with the head of a registry's serialiser."""
        number = int.from_bytes(value[1:REGISTRY_HEAD], "big")
        read = self._readers.get(number) or self._reader(number)
        try:
            return read(value[REGISTRY_HEAD:])
        except RefusedError:
            raise
        except Exception as error:  # whatever a library says of foreign bytes: they do not fit
            detail = f"the bytes do not fit schema {number} of the registry: {type(error).__name__}: {error}"[:500]
            raise RefusedError(MapRejectReason.NOT_BY_SCHEMA, Stage.DECODE, None, detail) from None

    def _reader(self, number: int) -> Read:
        asked_at = self._unknown.get(number)
        now = self._clock.now()
        if asked_at is not None and now - asked_at < UNKNOWN_FOR:
            raise _unknown(number)
        schema = self._patiently(number)
        if schema is None:
            if len(self._unknown) >= UNKNOWN_MAX:
                self._unknown.clear()
            self._unknown[number] = now
            raise _unknown(number)
        read = self._readers[number] = _reader_of(number, schema)
        return read

    def _patiently(self, number: int) -> Registered | None:
        """Ask, and ask again with growing pauses. Raises: TemporaryError when that went on for too long."""
        waited, pause = 0.0, _FIRST_WAIT
        while True:
            try:
                schema = self._client.schema(number)
            except TemporaryError as error:
                before, self.trouble = self.trouble, f"records wait for schema {number}: {error}"
                if before is None:
                    _log.warning("%s", self.trouble)
                if waited >= self._patience:
                    raise TemporaryError(
                        f"schema {number} is needed and {error}. Nothing is lost: its records wait in their topic. "
                        f"Bring the registry back; this goes on by itself"
                    ) from None
            else:
                self.trouble = None
                return schema
            self._pause.wait(pause)
            waited, pause = waited + pause, min(pause * 2, _LONGEST_WAIT)


def _reader_of(number: int, schema: Registered) -> Read:
    """The reader of a schema; for one that is broken, a reader that says so of every record."""
    make = _MAKERS.get(schema.kind)
    try:
        if make is None:
            raise ValueError(f"the kind '{schema.kind[:40]}' is none of {', '.join(_MAKERS)}")
        return make(schema)
    except Exception as error:  # whatever a library says of a foreign schema
        detail = f"schema {number} of the registry cannot be used: {type(error).__name__}: {error}"[:500]

    def refuse(_data: bytes) -> Any:
        raise RefusedError(MapRejectReason.UNUSABLE_SCHEMA, Stage.DECODE, None, detail)

    return refuse


def _unknown(number: int) -> RefusedError:
    detail = f"the registry knows no schema {number}: is kafka.registry the one that the producer of this topic uses?"
    return RefusedError(MapRejectReason.UNKNOWN_SCHEMA, Stage.DECODE, None, detail)
