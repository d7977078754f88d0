"""The shapes of incidents and repairs as JSON shows them, and as people ask for them.

What enters: IncidentRows and views, RepairLines, bodies from outside.
What leaves: pydantic models.
The next room: `incidents`, which answers with them.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from coordwatch.adapters.http_api.shapes import AuditItem, Shape
from coordwatch.alerts.repair import RepairLine, RepairState
from coordwatch.events.times import to_datetime
from coordwatch.ports import IncidentRow, IncidentView

AlertId = Annotated[str, Field(min_length=1, max_length=100)]
_Actor = Annotated[str | None, Field(min_length=1, max_length=80)]
_Note = Annotated[str, Field(max_length=2000)]


class IncidentQueryShape(Shape):
    """How a list of incidents is asked for. `status` and `severity` take several values with commas."""

    status: Annotated[str, Field(description="open, acknowledged, resolved or merged; without it all but merged")] = ""
    severity: str = ""
    q: Annotated[str, Field(description="text in the title or the note")] = ""
    sort: Annotated[str, Field(description="newest, severity or customers")] = "newest"
    limit: Annotated[int, Field(ge=1, le=1000)] = 50
    cursor: str | None = None


class IncidentItem(Shape):
    """One incident of a list. `live` alerts are not over; about `to_repair` customers nobody has decided yet."""

    id: str
    title: str
    status: str
    severity: str
    alerts: int
    live: int
    customers: int
    to_repair: int
    first_at: datetime
    last_at: datetime
    began_at: datetime
    version: int
    taken_by: str
    likely: str
    note: str
    merged_into: str | None


class CauseItem(Shape):
    """One likely cause; `score` is for ranking, between 0 and 100, and `evidence` says what it rests on."""

    kind: str
    value: str
    name: str
    score: int
    evidence: str


class RuleShare(Shape):
    """How many alerts of the incident are of one rule."""

    rule: str
    title: str
    alerts: int


class IncidentDetail(IncidentItem):
    """One incident with its causes, the likeliest first, and its history."""

    causes: list[CauseItem]
    rules: list[RuleShare]
    audit: list[AuditItem]
    actions: list[str]


class IncidentPage(Shape):
    """A page of incidents; `next` is the cursor of the next page, null on the last."""

    items: list[IncidentItem]
    next: str | None


class IncidentBody(Shape):
    """What to do. `version` is the one that was seen: a 409 says that the incident has moved on."""

    version: int | None = None
    note: _Note = ""
    actor: _Actor = None


class SplitBody(IncidentBody):
    """Which alerts to take out into an incident of their own."""

    alerts: Annotated[list[AlertId], Field(min_length=1, max_length=1000)]


class MergeBody(IncidentBody):
    """Which incidents to put into this one."""

    incidents: Annotated[list[AlertId], Field(min_length=1, max_length=100)]


class RepairItem(Shape):
    """One customer to repair: what happened, what to do, and what was decided by whom."""

    customer: str
    state: str
    what: str
    to_do: str
    happened_at: datetime
    rule: str
    alert: str
    alerts: int
    by: str
    at: datetime | None
    note: str
    version: int


class RepairPage(Shape):
    """A page of customers to repair; `next` is the cursor of the next page, null on the last."""

    items: list[RepairItem]
    next: str | None


class RepairBody(Shape):
    """What was decided about customers. Only those who stand at `expected` are changed; null changes all.

    `version` is that of the one customer as it was seen.
    """

    customers: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=400)]], Field(min_length=1, max_length=1000)
    ]
    state: RepairState
    note: _Note = ""
    expected: RepairState | None = RepairState.OPEN
    version: int | None = None
    actor: _Actor = None


class RepairAnswers(Shape):
    """The customers as they stand now."""

    items: list[RepairItem]


ExportFormat = Literal["csv", "json"]


def incident_item(row: IncidentRow) -> IncidentItem:
    """An incident as JSON shows it."""
    return IncidentItem(**_fields(row))


def incident_detail(view: IncidentView) -> IncidentDetail:
    """An incident with everything as JSON shows it."""
    return IncidentDetail(
        **_fields(view.row),
        causes=[
            CauseItem(kind=one.kind.value, value=one.value, name=one.name, score=one.score, evidence=one.evidence)
            for one in view.causes
        ],
        rules=[RuleShare(rule=rule, title=title, alerts=many) for rule, title, many in view.rules],
        audit=[
            AuditItem(at=to_datetime(one.at), actor=one.actor, action=one.action, note=one.note) for one in view.audit
        ],
        actions=list(view.actions),
    )


def repair_item(line: RepairLine) -> RepairItem:
    """A customer to repair as JSON shows them."""
    return RepairItem(
        customer=line.customer,
        state=line.state,
        what=line.what,
        to_do=line.to_do,
        happened_at=to_datetime(line.happened_at),
        rule=line.rule,
        alert=line.alert,
        alerts=line.alerts,
        by=line.by,
        at=None if line.at is None else to_datetime(line.at),
        note=line.note,
        version=line.version,
    )


def _fields(row: IncidentRow) -> dict[str, object]:
    fields = {name: getattr(row, name) for name in IncidentItem.model_fields}
    return fields | {name: to_datetime(fields[name]) for name in ("first_at", "last_at", "began_at")}
