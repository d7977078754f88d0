"""What every part of the settings is made of: frozen models, durations, addresses, what an input says of its source.

Written values enter; checked ones leave. The next rooms: `kafka` and `tree`, which lay the parts together.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from coordwatch.events.times import DAY, MINUTE, parse_duration

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_TRAIL_MIN = 30 * DAY
NAME = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
_BIND = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>[0-9]{1,5})")


def _duration(value: Any) -> Any:
    if isinstance(value, str):
        return parse_duration(value)
    raise ValueError("write a duration such as 90s, 10m or 1d12h")


Duration = Annotated[int, BeforeValidator(_duration)]


class Part(BaseModel):
    """One mapping inside the settings: frozen, closed, and silent about what was written in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Progressing(Part):
    """What every input says of its source. Units: microseconds once read; written as durations."""

    name: Annotated[str, Field(pattern=NAME)]
    source: str | None = Field(
        default=None, description="a mapping's name, or canonical; without it the mapper finds out"
    )
    carries: tuple[str, ...] = Field(default=(), description="event types, when the mapping does not say")
    disorder: Duration = 0
    publishing_delay: Duration = MINUTE
    dark_after: Duration | None = None


class AuditSettings(Part):
    """Where the head of the audit trail is noted beside the database, and how often; how long entries are kept, by default for ever.

    Units: microseconds once read
    """

    anchor: Path | None = None
    every: Duration = 10 * MINUTE
    keep: Duration | None = None

    @field_validator("keep")
    @classmethod
    def _is_long(cls, value: int | None) -> int | None:
        if value is not None and value < _TRAIL_MIN:
            raise ValueError("the audit trail is kept for 30d at least, or for ever without this")
        return value


class OldKey(Part):
    """A key that identifiers were digested under before this one; `id` as it was then, by default derived from the key."""

    key: SecretStr
    id: str | None = None


class RetentionSettings(Part):
    """How long what is not a journal is kept; journals are kept as long as the rules look back."""

    refs: Duration = 400 * DAY
    messages: Duration = 180 * DAY
    alerts: Duration = 400 * DAY
    dead_letters: Duration = 30 * DAY
    kept_away: Duration | None = None


def are_networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Networks as they are written. Raises: ValueError for what is none."""
    for one in value:
        try:
            ipaddress.ip_network(one)
        except ValueError:
            raise ValueError(f"'{one[:50]}' is no network such as 10.20.0.0/16 or 127.0.0.0/8") from None
    return value


def split_address(address: str) -> tuple[str, int] | None:
    """The host and port of `127.0.0.1:8484` or `[::1]:8484`, None when it is neither."""
    found = _BIND.fullmatch(address)
    if found is None or not 0 <= int(found["port"]) <= 65535:
        return None
    return found["six"] or found["host"], int(found["port"])


def twice(names: Iterable[str]) -> list[str]:
    """What is there more than once."""
    return sorted(name for name, count in Counter(names).items() if count > 1)
