"""An alert as a flat row, and how lists of rows are filtered, ordered and paged: the same for every store.

What enters: Alert and RuleCard, or a row; filters and cursors from outside.
What leaves: the other of the two; AlertRow for readers; a checked ListQuery.
The next room: `memory` and `sql`, which keep the rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coordwatch.adapters.paging import INT_END, BadQuery, after_sorted, cursor_of, several
from coordwatch.alerts.alert import Alert, Standing
from coordwatch.alerts.card import RuleCard, unknown_card
from coordwatch.alerts.fold import Filed
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.alerts.say import Face, face_of
from coordwatch.alerts.waking import Condition, WakeWhen
from coordwatch.codec import decode_json, encode_json
from coordwatch.ports import ALERT_FILTERS, ALERT_SORTS, AlertRow
from coordwatch.rules.detection import Attribution, DetectionStatus
from coordwatch.rules.spec import Severity

SEVERITY_RANK = {severity.value: rank for rank, severity in enumerate(Severity)}
LIVE_STATUSES = ("open", "acknowledged", "snoozed")
SEVERAL = frozenset({"status", "severity"})
# What a list is ordered by; True means the largest first. The id ends every tie.
ORDERS: Mapping[str, tuple[tuple[str, bool], ...]] = {
    "newest": (("at", True),),
    "oldest": (("at", False),),
    "severity": (("severity_rank", False), ("at", True)),
    "gap": (("gap", True), ("at", True)),
    "count": (("count", True), ("at", True)),
}
assert set(ORDERS) == set(ALERT_SORTS)
_LIMIT_MAX = 1000


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A checked question for a page of alerts. `after` holds the order values and the id of the last row seen."""

    filters: Mapping[str, str | tuple[str, ...] | int]
    sort: str
    limit: int
    after: tuple[Any, ...] | None

    @property
    def order(self) -> tuple[tuple[str, bool], ...]:
        """The columns the list is ordered by, the id left out."""
        return ORDERS[self.sort]


def list_query(filters: Mapping[str, str], limit: int, cursor: str | None) -> ListQuery:
    """Check what was asked.

    Raises: BadQuery for an unknown filter or sort, or a cursor of another list
    """
    wanted: dict[str, str | tuple[str, ...] | int] = {}
    sort = filters.get("sort") or "newest"
    if sort not in ORDERS:
        raise BadQuery("sort", f"cannot sort by '{sort[:40]}'; one of: {', '.join(ORDERS)}")
    for name, value in filters.items():
        if name == "sort" or not value:
            continue
        if name not in ALERT_FILTERS:
            raise BadQuery(name, f"no filter is called '{name[:40]}'; one of: {', '.join(ALERT_FILTERS)}, sort")
        wanted[name] = _filter_value(name, value)
    return ListQuery(wanted, sort, max(1, min(limit, _LIMIT_MAX)), after_sorted(cursor, sort, len(ORDERS[sort])))


def _filter_value(name: str, value: str) -> str | tuple[str, ...] | int:
    if name in SEVERAL:
        choices = tuple(AlertStatus) if name == "status" else tuple(Severity)
        return several(name, value, choices)
    if name == "since":
        if not value.lstrip("-").isdecimal() or len(value) > 19:
            raise BadQuery(name, "'since' is an instant in whole microseconds since 1970 UTC")
        return min(int(value), INT_END - 1)
    return value[:400]


def cursor_after(query: ListQuery, row: Mapping[str, Any]) -> str:
    """The cursor of the page that begins after a row."""
    values = [order_value(row, name) for name, _ in query.order]
    return cursor_of(query.sort, *values, row["id"])


def order_value(row: Mapping[str, Any], name: str) -> int:
    """What a row is ordered by; an unknown gap comes after every known one."""
    value = row[name]
    return -1 if value is None else int(value)


def alert_row(row: Mapping[str, Any]) -> AlertRow:
    """A row as readers see it."""
    snoozed = row["status"] == AlertStatus.SNOOZED
    return AlertRow(
        id=row["id"],
        rule=row["rule"],
        title=row["title"],
        severity=row["severity"],
        status=row["status"],
        owner=row["owner"],
        customer=row["customer"],
        sentence=row["sentence"],
        act_tool=row["act_tool"],
        evidence_tool=row["evidence_tool"],
        attribution=row["attribution"],
        known_for=row["known_for"],
        gap=row["gap"],
        at=row["at"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        count=row["count"],
        version=row["version"],
        campaign=row["campaign"],
        snoozed_until=row["snooze_until"] if snoozed else None,
        note=row["note"],
        incident=row.get("incident_id"),
        snoozed_for=waits.words if snoozed and (waits := wake_of(row)) else "",
    )


def flat(alert: Alert) -> dict[str, Any]:
    """The columns of an alert that folding and people change; the card's and the note's come beside them."""
    face, standing = alert.face, alert.standing
    return {
        "id": alert.id,
        "rule": alert.rule,
        "key": key_text(alert.key),
        "anchor": alert.anchor,
        "status": alert.status.value,
        "version": alert.version,
        "raised_at": alert.raised_at,
        "first_at": alert.first_at,
        "last_at": alert.last_at,
        "open": standing.open,
        "made_good": standing.made_good,
        "retracted": standing.retracted,
        "count": standing.count,
        "customer": face.customer,
        "sentence": face.sentence,
        "act_tool": face.act_tool,
        "evidence_tool": face.evidence_tool,
        "attribution": face.attribution.value,
        "known_for": face.known_for,
        "gap": face.gap,
        "at": face.at,
        "campaign": face.campaign,
        "incident": face.incident,
        "snooze_until": alert.snooze_until,
        "wake_on_repeat": alert.wake_on_repeat,
        "undo": alert.undo.value if alert.undo else None,
        "wake_when": alert.wake_when.when.value if alert.wake_when else None,
        "wake_about": alert.wake_when.about if alert.wake_when else None,
    }


def card_columns(card: RuleCard) -> dict[str, Any]:
    """The columns that follow the rule file, whatever the alert went through."""
    return {
        "title": card.title,
        "severity": card.severity.value,
        "severity_rank": SEVERITY_RANK[card.severity.value],
        "owner": card.owner,
    }


def from_flat(row: Mapping[str, Any]) -> Alert:
    """The alert that `flat` wrote."""
    face = Face(
        customer=row["customer"],
        sentence=row["sentence"],
        act_tool=row["act_tool"],
        evidence_tool=row["evidence_tool"],
        attribution=Attribution(row["attribution"]),
        known_for=row["known_for"],
        gap=row["gap"],
        at=row["at"],
        campaign=row["campaign"],
        incident=row["incident"],
    )
    return Alert(
        id=row["id"],
        rule=row["rule"],
        key=tuple(decode_json(row["key"])),
        anchor=row["anchor"],
        status=AlertStatus(row["status"]),
        version=row["version"],
        raised_at=row["raised_at"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        standing=Standing(row["open"], row["made_good"], row["retracted"]),
        face=face,
        snooze_until=row["snooze_until"],
        wake_on_repeat=bool(row["wake_on_repeat"]),
        undo=AlertStatus(row["undo"]) if row["undo"] else None,
        wake_when=wake_of(row),
    )


def wake_of(row: Mapping[str, Any]) -> Condition | None:
    """What the snooze of a row waits for."""
    return Condition(WakeWhen(row["wake_when"]), row["wake_about"]) if row["wake_when"] else None


def key_text(key: Sequence[str]) -> str:
    """The values of `once_per` as one text."""
    return encode_json(list(key)).decode()


def reduced(row: Mapping[str, Any], left: Sequence[Filed], cards: Mapping[str, RuleCard]) -> dict[str, Any]:
    """The columns of an alert of which detections were taken out: it is about the newest that is left."""
    alert = from_flat(row)
    counted = [sum(one.status is status for one in left) for status in (
        DetectionStatus.OPEN, DetectionStatus.MADE_GOOD, DetectionStatus.RETRACTED)]  # fmt: skip
    newest = max(
        left, key=lambda one: (one.status is not DetectionStatus.RETRACTED, one.detection.at, one.detection.id)
    )
    face = face_of(cards.get(alert.rule) or unknown_card(alert.rule), newest.detection)
    return flat(replace(alert, standing=Standing(*counted), face=face, version=alert.version + 1)) | {"note": ""}
