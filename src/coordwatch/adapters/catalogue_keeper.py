"""The catalogue kept up to date: somebody edits it, and everything goes on with the new one, or with the last good one.

What enters: a feed that tells what changed. What leaves: a Catalogue for the mapper, and how it stands for people and for
/metrics. The next room: `app`, which begins it beside the runtime. Parsing is `sources.catalogue`.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from coordwatch.clock import Clock
from coordwatch.errors import DocumentError
from coordwatch.sources.catalogue import Catalogue

LOOK_SECONDS = 2.0
_END_SECONDS = 5.0
_SAID_MAX = 20
_log = logging.getLogger("coordwatch.catalogue")


@dataclass(frozen=True, slots=True)
class Edit:
    """What an edit came to: a catalogue, None when nothing of it can be used; each problem with its place."""

    catalogue: Catalogue | None
    problems: Sequence[str] = ()


class Feed(Protocol):
    """Where a catalogue comes from."""

    @property
    def where(self) -> str:
        """The file or the topic, for people."""
        ...

    def look(self) -> Edit | None:
        """What changed since it was last looked at; None when nothing did."""
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...


class FileFeed:
    """A catalogue in one file, read again when it is another one."""

    def __init__(self, path: Path, read: Callable[[Path], Catalogue]) -> None:
        self._path, self._read = path, read
        self._seen = self._mark()

    @property
    def where(self) -> str:
        """The file."""
        return str(self._path)

    def look(self) -> Edit | None:
        """Read the file when its time, its size or the file itself is another."""
        mark = self._mark()
        if mark == self._seen:
            return None
        self._seen = mark
        try:
            return Edit(self._read(self._path))
        except DocumentError as error:
            return Edit(None, [str(problem) for problem in error.problems])

    def close(self) -> None:
        """Nothing is held open."""

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


@dataclass(frozen=True, slots=True)
class CatalogueState:
    """How the catalogue stands. Units: `loaded_at` in microseconds since 1970 UTC."""

    where: str | None
    catalogue: Catalogue
    loaded_at: int
    problems: Sequence[str] = ()


class CatalogueKeeper:
    """Looks at a feed now and then, from a thread of its own, and gives what is good to `use`.

    Takes: `feed` None when the settings name no catalogue; `first` as it was loaded at the start
    Units: `every` in seconds
    """

    def __init__(
        self,
        feed: Feed | None,
        first: Catalogue,
        use: Callable[[Catalogue], None],
        clock: Clock,
        every: float = LOOK_SECONDS,
    ) -> None:
        self._feed, self._use, self._clock, self._every = feed, use, clock, every
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="coordwatch-catalogue", daemon=True)
        self.state = CatalogueState(None if feed is None else feed.where, first, clock.now())

    def start(self) -> None:
        """Begin to look."""
        if self._feed is not None:
            self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)
        feed, self._feed = self._feed, None
        if feed is not None:
            feed.close()

    def look(self) -> None:
        """Take what changed; a broken edit is said, and the last good one stays."""
        edit = None if self._feed is None else self._feed.look()
        if edit is not None:
            self.take(edit)

    def take(self, edit: Edit) -> None:
        """Go on with an edit, as far as it is good."""
        before = self.state
        for problem in edit.problems[:_SAID_MAX]:
            _log.error("the catalogue has a mistake, and what was good before it stays in use: %s", problem)
        if edit.catalogue is None or edit.catalogue.digest == before.catalogue.digest:
            self.state = CatalogueState(before.where, before.catalogue, before.loaded_at, tuple(edit.problems))
            if before.problems and not edit.problems:
                _log.info("the catalogue is in order again: %s", _named(before.catalogue))
            return
        self._use(edit.catalogue)
        self.state = CatalogueState(before.where, edit.catalogue, self._clock.now(), tuple(edit.problems))
        _log.info("the catalogue %s is in use, before it %s", _named(edit.catalogue), _named(before.catalogue))

    def view(self) -> dict[str, Any]:
        """How it stands, for people. Units: `loaded_at` in microseconds since 1970 UTC."""
        state = self.state
        said = state.catalogue
        return {
            "where": state.where,
            "version": said.version,
            "digest": said.digest,
            "loaded_at": state.loaded_at,
            "campaigns": len(said.entries),
            "tables": {name: len(rows) for name, rows in said.tables.items()},
            "skus": {name: len(rows) for name, rows in said.skus.items()},
            "locations": {name: len(rows) for name, rows in said.locations.items()},
            "tools": {name: dict(rows) for name, rows in said.tools.items()},
            "problems": list(state.problems),
        }

    def amounts(self) -> dict[str, dict[tuple[str, ...], float]]:
        """How it stands, for /metrics, by metric name and label values."""
        state = self.state
        return {
            "coordwatch_catalogue_info": {(state.catalogue.version, state.catalogue.digest): 1.0},
            "coordwatch_catalogue_problems": {(): float(len(state.problems))},
            "coordwatch_catalogue_loaded_seconds": {(): state.loaded_at / 1_000_000},
        }

    def _run(self) -> None:
        while not self._ending.wait(self._every):
            try:
                self.look()
            except Exception:  # a feed that fails must not take the thread with it: the next look may succeed
                _log.exception("the catalogue could not be looked at")


def _named(catalogue: Catalogue) -> str:
    return f"{catalogue.version or 'without a version'} ({catalogue.digest})"
