"""A service that ends when it has read its files, however long that takes.

What enters: settings, and how many records lie there. What leaves: its database.
The next room: tests that look at what a service leaves behind.
"""

import threading
from pathlib import Path

from coordwatch.app import build
from coordwatch.settings import read_settings
from tests.services.waiting import wait_until


def read_whole(config: Path, records: int) -> None:
    """Serve until every record is counted and everything that came of it is decided."""
    service = build(read_settings(config))

    def end() -> None:
        try:
            wait_until(lambda: service.reader.tallies().get("in", 0) >= records, f"{records} records", 120)
            wait_until(lambda: not service.reader.undecided(1), "every alert to be decided", 120)  # type: ignore[attr-defined]
        finally:
            service.runtime.stop()

    watching = threading.Thread(target=end)
    assert service.run(started=watching.start) == 0
    watching.join()
