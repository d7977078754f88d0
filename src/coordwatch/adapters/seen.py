"""Searching as whoever asks sees it: where personal data is masked nobody finds out an address by guessing at its parts.

What enters: a list that can be searched, what is looked for, whether personal data is hidden.
What leaves: rows in which it stands where it can be seen, or is a whole address or number; with their cursor.
The next rooms: the lists of the API and of the pages.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from coordwatch.access.masking import MASKED, found_in
from coordwatch.ports import AlertRow, IncidentRow

Row = TypeVar("Row")
_AT_ONCE = 500
Found = tuple[list[Row], str | None]


class _Alerts(Protocol):
    def alerts(self, filters: Mapping[str, str], limit: int, cursor: str | None) -> Found[AlertRow]: ...


class _Incidents(Protocol):
    def incidents(self, filters: Mapping[str, str], limit: int, cursor: str | None) -> Found[IncidentRow]: ...


Reading = Callable[[Mapping[str, str], int, str | None], Found[Row]]
Page = tuple[Mapping[str, str], int, str | None]


def alerts_seen(reader: _Alerts, page: Page, *, hidden: bool) -> Found[AlertRow]:
    """A page of alerts. Takes: filters, how many, a cursor; `hidden` for whoever sees personal data masked."""
    return _seen(reader.alerts, page, lambda row: (row.sentence, row.customer, row.rule), hidden)


def incidents_seen(desk: _Incidents, page: Page, *, hidden: bool) -> Found[IncidentRow]:
    """A page of incidents. Takes: as `alerts_seen`."""
    return _seen(desk.incidents, page, lambda row: (row.title, row.note), hidden)


def _seen(read: Reading[Row], page: Page, texts: Callable[[Row], tuple[str, ...]], hidden: bool) -> Found[Row]:
    filters, limit, cursor = page
    wanted = filters.get("q", "")
    if not wanted or not hidden:
        return read(filters, limit, cursor)
    # What was copied from a masked page stands nowhere as it is: its longest part does.
    asked = {**filters, "q": max(wanted.split(MASKED), key=len)}
    found: list[Row] = []
    last = None
    while True:
        rows, following = read(asked, _AT_ONCE, cursor)
        for place, row in enumerate(rows):
            if not any(found_in(text, wanted) for text in texts(row)):
                continue
            if len(found) == limit:
                return found, last
            found.append(row)
            if len(found) == limit:
                # There may be more: the page ends behind this one.
                last = read(asked, place + 1, cursor)[1]
        if following is None:
            return found, None
        cursor = following
