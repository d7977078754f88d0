"""The customers whom an incident hit, and what was decided about them.

What enters: a connection, an incident, decisions of people.
What leaves: RepairLines.
The next room: `incidents`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, select

from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.incident_tables import repairs
from coordwatch.adapters.sql.schema import alerts, aliases, detections
from coordwatch.alerts.alert import ActionRefused, VersionConflict
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.fold import Filed
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.alerts.plain import detection_from_plain
from coordwatch.alerts.repair import Harm, RepairDecision, RepairLine, RepairState, repair_line
from coordwatch.codec import decode_json
from coordwatch.ports import RepairOrder
from coordwatch.rules.detection import DetectionStatus


def lines(
    connection: Connection, incident: str, customers: Sequence[str], cards: Mapping[str, RuleCard]
) -> list[RepairLine]:
    """What is to be known about these customers, in their order; who was not hit after all is left out."""
    harms = _harms(connection, incident, customers)
    decided = _decisions(connection, incident, customers)
    found = (repair_line(one, harms.get(one, ()), decided.get(one), cards) for one in customers)
    return [one for one in found if one is not None]


def hit(connection: Connection, incident: str, after: str | None, limit: int | None) -> list[str]:
    """The customers whom an incident hit, those after one, by their keys."""
    question = (
        select(detections.c.customer)
        .join(alerts, alerts.c.id == detections.c.alert)
        .where(alerts.c.incident_id == incident, detections.c.status != DetectionStatus.RETRACTED.value)
        .distinct()
        .order_by(detections.c.customer)
    )
    if after is not None:
        question = question.where(detections.c.customer > after)
    return list(connection.execute(question.limit(limit)).scalars())


def how_many(connection: Connection, incident: str) -> tuple[int, int]:
    """How many customers an incident hit, and about how many of them somebody must decide yet."""
    mine = (alerts.c.incident_id == incident, detections.c.status != DetectionStatus.RETRACTED.value)
    every = select(func.count(detections.c.customer.distinct())).join(alerts, alerts.c.id == detections.c.alert)
    decided = (repairs.c.incident == incident) & (repairs.c.customer == detections.c.customer)
    still = (
        every.join(repairs, decided, isouter=True)
        .where(*mine, detections.c.status == DetectionStatus.OPEN.value)
        .where(alerts.c.status != AlertStatus.NOT_A_CONFLICT.value)
        .where(func.coalesce(repairs.c.state, RepairState.OPEN.value) == RepairState.OPEN.value)
    )
    return int(connection.execute(every.where(*mine)).scalar() or 0), int(connection.execute(still).scalar() or 0)


def decide(
    connection: Connection, incident: str, customers: Sequence[str], order: RepairOrder, cards: Mapping[str, RuleCard]
) -> int:
    """Keep what was decided; give about how many.

    Raises: VersionConflict, ActionRefused for somebody whom the incident did not hit
    """
    known = {one.customer: one for one in lines(connection, incident, customers, cards)}
    rows = []
    for customer in dict.fromkeys(customers):
        line = known.get(customer)
        if line is None:
            raise ActionRefused(
                f"this incident did not hit the customer '{customer[:80]}'; GET its repairs for who was hit"
            )
        if order.version is not None and order.version != line.version:
            raise VersionConflict(
                f"somebody decided about this customer meanwhile: it stands at version {line.version}", line.version
            )
        if order.expected is not None and line.state != order.expected.value:
            continue
        decision = RepairDecision(order.state, order.actor, order.now, order.note, line.version + 1)
        rows.append(
            {
                "incident": incident,
                "customer": customer,
                "state": decision.state.value,
                "by": decision.by,
                "at": decision.at,
                "note": decision.note,
                "version": decision.version,
            }
        )
    upsert(connection, repairs, rows)
    return len(rows)


def _harms(connection: Connection, incident: str, customers: Sequence[str]) -> Mapping[str, list[Harm]]:
    found: dict[str, list[Harm]] = defaultdict(list)
    question = (
        select(
            detections.c.customer,
            detections.c.body,
            detections.c.status,
            detections.c.alert,
            alerts.c.status.label("stands"),
        )
        .join(alerts, alerts.c.id == detections.c.alert)
        .where(alerts.c.incident_id == incident, detections.c.customer.in_(customers))
    )
    for row in connection.execute(question):
        filed = Filed(detection_from_plain(decode_json(row.body)), DetectionStatus(row.status), row.alert)
        found[row.customer].append(Harm(filed, AlertStatus(row.stands)))
    return found


def _decisions(connection: Connection, incident: str, customers: Sequence[str]) -> Mapping[str, RepairDecision]:
    """By customer what was decided, also when they had another key then; the latest decision stands."""
    now = func.coalesce(aliases.c.customer, repairs.c.customer)
    question = (
        select(repairs, now.label("now"))
        .join(aliases, aliases.c.old == repairs.c.customer, isouter=True)
        .where(repairs.c.incident == incident, now.in_(customers))
        .order_by(repairs.c.at, repairs.c.version)
    )
    found: dict[str, RepairDecision] = {}
    for row in connection.execute(question).mappings():
        decision = RepairDecision(RepairState(row["state"]), row["by"], row["at"], row["note"], row["version"])
        before = found.get(row["now"])
        found[row["now"]] = (
            decision if before is None else replace(decision, version=max(before.version, decision.version))
        )
    return found
