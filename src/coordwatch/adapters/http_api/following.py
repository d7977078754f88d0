"""What happens to alerts, whoever does it and wherever: in this process, in another on the same database, or on a command line.

What enters: the audit entries of the database, asked for while somebody watches.
What leaves: `changed` messages on the stream, with how many alerts there are now.
The next room: `stream`.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Any

from coordwatch.adapters.http_api.stream import Stream
from coordwatch.errors import TemporaryError
from coordwatch.ports import AlertReader, Moved, Shelf

PAUSE_SECONDS = 0.25
# Of several writers one may commit a smaller number later: so far back is looked again.
_BACK = 64
AT_ONCE = 500
_TOLD_MOST = 100
_END_SECONDS = 5.0
_log = logging.getLogger("coordwatch.following")


class Follower:
    """Looks four times a second, and only while somebody watches; it begins where the page of the first of them stood."""

    def __init__(self, reader: AlertReader, shelf: Shelf, stream: Stream, pause: float = PAUSE_SECONDS) -> None:
        self._reader, self._shelf, self._stream, self._pause = reader, shelf, stream, pause
        self._newest: int | None = None
        self._seen: set[int] = set()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="coordwatch-following", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        while not self._ending.wait(self._pause):
            try:
                while self.look() >= AT_ONCE - _BACK and not self._ending.is_set():
                    pass  # a storm: there may be more already
            except TemporaryError as away:
                _log.debug("nothing to follow: %s", away)

    def look(self) -> int:
        """Tell whoever watches what has happened since the last look; gives how much."""
        if not self._stream.watchers:
            self._newest = None
            return 0
        if self._newest is None:
            since = self._stream.first_since()
            self._newest = self._shelf.newest_move() if since is None else since
            before = self._shelf.moves(self._newest - _BACK, _BACK)
            self._seen = {one.number for one in before if one.number <= self._newest}
        found = self._shelf.moves(self._newest - _BACK, AT_ONCE)
        moves = [one for one in found if one.number not in self._seen]
        if moves:
            self._newest = max(self._newest, found[-1].number)
            self._seen = {one.number for one in found if one.number > self._newest - _BACK}
            self._stream.send("changed", message_of_moves(moves, dict(self._reader.alert_totals())), self._newest)
        return len(moves)


def message_of_moves(moves: Sequence[Moved], totals: dict[str, int]) -> dict[str, Any]:
    """What a watcher is told; of a storm only how much there was."""
    told = moves if len(moves) <= _TOLD_MOST else ()
    return {"changes": [_plain(one) for one in told], "many": len(moves), "totals": totals}


def _plain(one: Moved) -> dict[str, Any]:
    row = one.row
    return {
        "id": row.id,
        "rule": row.rule,
        "severity": row.severity,
        "status": row.status,
        "version": row.version,
        "customer": row.customer,
        "act_tool": row.act_tool,
        "evidence_tool": row.evidence_tool,
        "attribution": row.attribution,
        "campaign": row.campaign,
        "action": one.action,
        "actor": one.actor,
    }
