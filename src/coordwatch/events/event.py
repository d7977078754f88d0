"""The canonical Event: one thing that happened, as every later stage sees it.

Vendor payloads become Events in `sources`; `identity` gives them a customer; `context` keeps what rules need of them.
"""

from collections.abc import Mapping
from typing import Any

from coordwatch.codec import Struct
from coordwatch.codec import struct_with as event_with

__all__ = ["Event", "event_with"]


class Event(Struct, frozen=True, gc=False):
    """One thing that happened, CloudEvents 1.0 by meaning; `(source, id)` is its identity.

    A Struct is made eight times as fast as a frozen dataclass; `event_with` gives it with other values.

    Units: `time` (when it happened) and `observed_at` (when it reached the log) in microseconds since 1970 UTC
    """

    source: str
    id: str
    type: str
    time: int
    observed_at: int
    subject: str | None = None
    data: Mapping[str, Any] = {}

    @property
    def tool(self) -> str | None:
        """The name of the tool that acted, None when the event does not say."""
        tool = self.data.get("tool")
        if isinstance(tool, Mapping):
            tool = tool.get("name")
        return tool if isinstance(tool, str) else None
