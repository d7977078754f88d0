"""Sources as people see them: read, late, dark or not heard of yet.

What enters: how far each source has been read.
What leaves: SourceViews.
The next room: the pages, the API and the metrics.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from coordwatch.context.progress import BEGINNING, SourceProgress
from coordwatch.events.times import MINUTE
from coordwatch.events.words import duration_words
from coordwatch.ports import SourceView

_LATE_AFTER = 10 * MINUTE
_SLOT = 15 * MINUTE
_SLOTS = 96
_WORST_LAST = ("idle", "read", "late", "dark")


class SourceBoard:
    """Every source as it is now, and how it was in each quarter of an hour of the last day, as far as this process knows.

    Takes: `sources` reads how far each is read; `tools`, by source, the tools whose records it carries
    """

    def __init__(self, sources: Callable[[], Iterable[SourceProgress]], tools: Mapping[str, Sequence[str]]) -> None:
        self._sources, self._tools = sources, tools
        self._slots: dict[str, dict[int, str]] = {}

    def views(self, now: int) -> list[SourceView]:
        """Every source by name. Units: microseconds since 1970 UTC."""
        views = source_views(self._sources(), self._tools, now)
        return [replace(view, strip=sorted(self._slots.get(view.name, {}).items())) for view in views]

    def note(self, now: int) -> None:
        """Remember how every source is now; the worst of a slot is what counts. Units: microseconds since 1970 UTC."""
        slot = now // _SLOT * _SLOT
        oldest = slot - (_SLOTS - 1) * _SLOT
        for view in source_views(self._sources(), self._tools, now):
            slots = {at: status for at, status in self._slots.get(view.name, {}).items() if at >= oldest}
            slots[slot] = max(slots.get(slot, "idle"), view.status, key=_WORST_LAST.index)
            # Replaced whole, because pages read it from other threads.
            self._slots[view.name] = slots


def source_views(sources: Iterable[SourceProgress], tools: Mapping[str, Sequence[str]], now: int) -> list[SourceView]:
    """Every source by name.

    Takes: by source, the tools whose records it carries
    Units: microseconds since 1970 UTC
    """
    return [_view(one, tools.get(one.name, ()), now) for one in sorted(sources, key=lambda one: one.name)]


def _view(source: SourceProgress, tools: Sequence[str], now: int) -> SourceView:
    through = None if source.through == BEGINNING else source.through
    heard_at = None if source.heard_at == BEGINNING else source.heard_at
    if source.heard_at == source.read_to_end_at == BEGINNING:
        return SourceView(source.name, "idle", through, None, tuple(tools), note="nothing has come yet")
    if source.dark_after is not None and source.is_dark(now):
        silent = "nothing has come yet" if heard_at is None else f"dark for {duration_words(now - heard_at)}"
        note = f"{silent}; it may be silent for {duration_words(source.dark_after)}"
        return SourceView(source.name, "dark", through, heard_at, tuple(tools), note=note)
    behind = now - source.through
    if behind > _LATE_AFTER + source.disorder + source.publishing_delay:
        note = f"read {duration_words(behind)} behind the present"
        return SourceView(source.name, "late", through, heard_at, tuple(tools), note=note)
    return SourceView(source.name, "read", through, heard_at, tuple(tools))
