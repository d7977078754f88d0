"""The shapes of what a tool is answered, as the OpenAPI document shows them.

What enters: what became of each record. What leaves: JSON. The next room: `routes`.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HookRefusal(_Shape):
    """One piece of a posted record that could not be used; it is kept with its bytes among the dead letters."""

    stage: str
    reason: str
    detail: str
    path: str | None
    piece: int | None


class HookRecord(_Shape):
    """What became of one posted record: its events by what became of them, what was left aside, what was refused."""

    index: int
    status: Literal["applied", "duplicate", "dropped", "parked", "dead_lettered"]
    events: dict[str, int]
    dropped: dict[str, int]
    rejected_count: int
    rejected: list[HookRefusal]


class HookAnswer(_Shape):
    """What became of a post; it is committed when this is read. `repeated`: the very same was taken before."""

    repeated: bool
    items: list[HookRecord]
