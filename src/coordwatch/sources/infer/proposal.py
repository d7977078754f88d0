"""A proposal: what each part of a mapping is likely to be, how likely, and which values say so.

What enters: choices. What leaves: frozen data that `writing` turns into YAML. The next room: `choose` and `meaning`, which
make it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guess:
    """One field chosen for something; `examples` are masked. Units: `confidence` between 0 and 1."""

    path: str
    confidence: float
    examples: tuple[str, ...] = ()
    format: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class EventGuess:
    """One value of the field that tells events apart, and the canonical event it probably is.

    `set` are fixed words; `missing` what the event needs and nothing was found for, `pieces` how often the value came.
    """

    value: str
    type: str | None
    confidence: float
    pieces: int
    set: Mapping[str, str] | None = None
    missing: tuple[str, ...] = ()
    already_told_by: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A whole mapping, as far as payloads tell."""

    source: str
    family: str
    pieces: int
    unread: int
    unwrap: tuple[str, ...]
    json_fields: tuple[str, ...]
    named: tuple[str, ...]
    split: str | None
    ids: tuple[Guess, ...]
    digest: tuple[str, ...]
    times: tuple[Guess, ...]
    identifiers: tuple[Guess, ...]
    doubtful: tuple[Guess, ...]
    refs: Mapping[str, Guess]
    discriminator: Guess | None
    events: tuple[EventGuess, ...]
    unused: Sequence[str] = ()
