"""The shapes of the API's JSON, as the OpenAPI document shows them.

What enters: views of `ports`, orders from outside.
What leaves: the same with instants as RFC 3339 text and lengths in seconds.
The next room: `alerts` and `reading`, which answer with them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from coordwatch.adapters.http_api.telling_shapes import ConditionItem, TellingItem, condition_item, telling_item
from coordwatch.alerts.lifecycle import AlertStatus, allowed_actions
from coordwatch.alerts.verdict import precision_of
from coordwatch.alerts.waking import Condition
from coordwatch.events.times import SECOND, format_time, to_datetime
from coordwatch.ports import AlertRow, AlertView, PairCount, RuleCounts, SourceView

_INSTANTS = frozenset(
    {"at", "time", "observed_at", "began_at", "ended_at", "deadline", "read_through", "last_seen", "loaded_at"}
)


class Shape(BaseModel):
    """What goes over the wire: nothing more than is named."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AlertQuery(Shape):
    """How a list of alerts is asked for. `status` and `severity` take several values with commas."""

    status: str = ""
    severity: str = ""
    rule: str = ""
    tool: Annotated[str, Field(description="either side")] = ""
    act_tool: str = ""
    evidence_tool: str = ""
    attribution: str = ""
    campaign: str = ""
    customer: str = ""
    incident: str = ""
    since: Annotated[str, Field(description="RFC 3339, or microseconds since 1970 UTC")] = ""
    q: Annotated[str, Field(description="text in the sentence, the customer or the rule")] = ""
    sort: str = "newest"
    limit: Annotated[int, Field(ge=1, le=1000)] = 50
    cursor: str | None = None


class AlertItem(Shape):
    """One alert of a list."""

    id: str
    rule: str
    title: str
    severity: str
    status: str
    owner: str
    customer: str
    sentence: str
    act_tool: str
    evidence_tool: str
    attribution: str
    known_for_seconds: float | None
    gap_seconds: float | None
    at: datetime
    first_at: datetime
    last_at: datetime
    count: int
    version: int
    campaign: str | None
    snoozed_until: datetime | None
    note: str
    incident: str | None
    snoozed_for: str


class AuditItem(Shape):
    """One line of an alert's audit trail."""

    at: datetime
    actor: str
    action: str
    note: str


class AlertDetail(AlertItem):
    """One alert with its detections, its history and whom else the same cause hit."""

    detections: list[dict[str, Any]]
    audit: list[AuditItem]
    also_affected: list[str]
    actions: list[str]
    verdict: Annotated[str | None, Field(description="what somebody said of it: conflict, unsure, or why it is none")]
    tellings: list[TellingItem]
    conditions: list[ConditionItem]


class AlertPage(Shape):
    """A page of alerts; `next` is the cursor of the next page, null on the last."""

    items: list[AlertItem]
    next: str | None


class EventAnswer(Shape):
    """What became of one record of a request."""

    index: int
    status: Literal["applied", "duplicate", "dropped", "parked", "dead_lettered"]
    events: int
    reason: str | None = None
    detail: str | None = None


class EventAnswers(Shape):
    """What became of every record of a request, in order; it is committed when this is read."""

    items: list[EventAnswer]


class PrecisionItem(Shape):
    """How many of the alerts that people judged were conflicts: `right` of `judged`, with the 95 % interval of the share."""

    right: int
    judged: int
    share: float
    low: float
    high: float


class RuleItem(Shape):
    """One rule, what it means, and how often it judged. `disabled` and `warming` say why it judges nothing, or not all.

    `verdicts` is how often each was given by people, `precision` what follows from them, null while nobody has judged.
    """

    id: str
    title: str
    status: str
    severity: str
    owner: str
    tags: list[str]
    sentence: str
    acts: int
    detections: int
    in_flight: int
    missing_key: int
    retracted: int
    made_good: int
    alerts: int
    not_a_conflict: int
    verdicts: dict[str, int]
    precision: PrecisionItem | None
    disabled: str | None
    warming: datetime | None


class PairItem(Shape):
    """Acts of one tool, and how many of them collided with another."""

    act_tool: str
    evidence_tool: str
    acts: int
    detections: int


class SourceItem(Shape):
    """One source and how far it is read."""

    name: str
    status: str
    read_through: datetime | None
    last_seen: datetime | None
    tools: list[str]
    tallies: dict[str, int]
    note: str


def alert_item(row: AlertRow) -> AlertItem:
    """A row as JSON shows it."""
    return AlertItem(**_alert_fields(row))


def alert_detail(view: AlertView, conditions: Sequence[Condition] = ()) -> AlertDetail:
    """An alert as JSON shows it, with what its snooze can wait for."""
    return AlertDetail(
        **_alert_fields(view.row),
        detections=[readable(detection) for detection in view.detections],
        audit=[
            AuditItem(at=to_datetime(entry.at), actor=entry.actor, action=entry.action, note=entry.note)
            for entry in view.audit
        ],
        also_affected=list(view.also_affected),
        actions=[action.value for action in allowed_actions(AlertStatus(view.row.status), view.undoable)],
        tellings=[telling_item(one) for one in view.tellings],
        conditions=[condition_item(one) for one in conditions],
        verdict=view.verdict or None,
    )


def _alert_fields(row: AlertRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "rule": row.rule,
        "title": row.title,
        "severity": row.severity,
        "status": row.status,
        "owner": row.owner,
        "customer": row.customer,
        "sentence": row.sentence,
        "act_tool": row.act_tool,
        "evidence_tool": row.evidence_tool,
        "attribution": row.attribution,
        "known_for_seconds": _seconds(row.known_for),
        "gap_seconds": _seconds(row.gap),
        "at": to_datetime(row.at),
        "first_at": to_datetime(row.first_at),
        "last_at": to_datetime(row.last_at),
        "count": row.count,
        "version": row.version,
        "campaign": row.campaign,
        "snoozed_until": instant(row.snoozed_until),
        "note": row.note,
        "incident": row.incident,
        "snoozed_for": row.snoozed_for,
    }


def precision_item(verdicts: Mapping[str, int]) -> PrecisionItem | None:
    """The precision of a rule as JSON shows it."""
    found = precision_of(verdicts)
    if found is None:
        return None
    return PrecisionItem(right=found.right, judged=found.judged, share=found.share, low=found.low, high=found.high)


def pair_item(pair: PairCount) -> PairItem:
    """A tool pair as JSON shows it."""
    return PairItem(
        act_tool=pair.act_tool, evidence_tool=pair.evidence_tool, acts=pair.acts, detections=pair.detections
    )


def counts_or_none(rule: str, counts: Mapping[str, RuleCounts]) -> RuleCounts:
    """The counts of a rule; zeros for one that never judged."""
    return counts.get(rule) or RuleCounts(rule, 0, 0, 0, 0, 0, 0, ())


def source_item(view: SourceView) -> SourceItem:
    """A source as JSON shows it."""
    return SourceItem(
        name=view.name,
        status=view.status,
        read_through=instant(view.read_through),
        last_seen=instant(view.last_seen),
        tools=list(view.tools),
        tallies=dict(view.tallies),
        note=view.note,
    )


def instant(value: int | None) -> datetime | None:
    """An instant for JSON. Units: microseconds since 1970 UTC."""
    return None if value is None else to_datetime(value)


def _seconds(length: int | None) -> float | None:
    return None if length is None else length / SECOND


def readable(value: Any, name: str = "") -> Any:
    """Plain data with its instants as RFC 3339 text; what JSON cannot say is left out."""
    if isinstance(value, Mapping):
        if name == "data":
            return dict(value)
        return {key: readable(one, str(key)) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [readable(one, name) for one in value]
    if name in _INSTANTS and isinstance(value, int):
        return format_time(value)
    return value
