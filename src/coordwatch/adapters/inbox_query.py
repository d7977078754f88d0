"""The inbox's address: filters, order and page live in the URL, so that a view can be kept and shared.

What enters: query parameters, anything in them.
What leaves: a ListQuery: what the reader is asked, and the addresses of every neighbouring view.
The next rooms: the pages' `inbox`, and the API's `views`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.events.times import DAY, HOUR
from coordwatch.ports import ALERT_FILTERS, ALERT_SORTS
from coordwatch.rules.spec import Severity

RANGES: Mapping[str, int | None] = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY, "all": None}
STATUSES = tuple(status.value for status in AlertStatus)
SEVERITIES = tuple(severity.value for severity in Severity)
DEFAULTS = {"status": "open", "range": "all", "sort": "newest"}
_FREE = tuple(name for name in ALERT_FILTERS if name not in ("status", "severity", "since"))
VALUE_MAX = 200
# What most people look at, so that a first visit has somewhere to go.
SHIPPED: Mapping[str, Mapping[str, str]] = {
    "Worst first": {"sort": "severity"},
    "In hand, oldest first": {"status": "acknowledged", "sort": "oldest"},
    "Known and done anyway": {"attribution": "ignored"},
    "Again and again": {"sort": "count"},
}
VIEW_NAME_MAX = 40


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What the address asks for; a value that means nothing there is left out."""

    values: Mapping[str, str] = field(default_factory=dict)
    cursor: str | None = None

    def get(self, name: str) -> str:
        """A value, its default, or nothing."""
        return self.values.get(name, DEFAULTS.get(name, ""))

    def filters(self, now: int) -> dict[str, str]:
        """What the reader is asked. Units: `now` in microseconds since 1970 UTC."""
        asked = {name: self.values[name] for name in _FREE if name in self.values}
        if self.get("status") != "all":
            asked["status"] = self.get("status")
        if "severity" in self.values:
            asked["severity"] = self.values["severity"]
        length = RANGES[self.get("range")]
        if length is not None:
            asked["since"] = str(now - length)
        asked["sort"] = self.get("sort")
        return asked

    def address(self, **changes: str | None) -> str:
        """The address of a neighbouring view: some values changed, none of them removed, on the first page."""
        values = {**self.values}
        for name, value in changes.items():
            name = name.rstrip("_")
            if value is None or value == DEFAULTS.get(name):
                values.pop(name, None)
            else:
                values[name] = value
        return "/?" + urlencode(values) if values else "/"

    def older(self, cursor: str) -> str:
        """The address of the next page."""
        return "/?" + urlencode({**self.values, "after": cursor})

    @property
    def here(self) -> str:
        """This view's own address."""
        return self.older(self.cursor) if self.cursor else self.address()

    @property
    def narrowed(self) -> Mapping[str, str]:
        """The filters in force besides status and range, to be shown and taken off one by one."""
        return {name: value for name, value in self.values.items() if name in (*_FREE, "severity")}


def query_of(parameters: Mapping[str, str]) -> ListQuery:
    """Read an address; what is unknown or senseless is left out."""
    values = {name: parameters[name].strip()[:VALUE_MAX] for name in _FREE if parameters.get(name, "").strip()}
    for name, known in (("status", STATUSES), ("severity", SEVERITIES)):
        chosen = [word for word in parameters.get(name, "").split(",") if word in known]
        if chosen:
            values[name] = ",".join(dict.fromkeys(chosen))
    if parameters.get("status") == "all":
        values["status"] = "all"
    for name, choices in (("range", tuple(RANGES)), ("sort", ALERT_SORTS)):
        if parameters.get(name) in choices:
            values[name] = parameters[name]
    values = {name: value for name, value in values.items() if value != DEFAULTS.get(name)}
    return ListQuery(values, parameters.get("after") or None)
