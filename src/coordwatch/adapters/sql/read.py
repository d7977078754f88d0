"""Reading the database for pages, the API and the metrics, on connections of their own.

What enters: filters, ids, limits.
What leaves: the views of `ports`.
The next room: `store`, which adds the writing side.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
)

from coordwatch.adapters.alert_rows import LIVE_STATUSES, ListQuery, alert_row, cursor_after, list_query
from coordwatch.adapters.ledger_rows import accounts_of, customer_row, pair_counts_of, rule_counts_of
from coordwatch.adapters.sql.database import Database
from coordwatch.adapters.sql.engines import Manner, open_engine
from coordwatch.adapters.sql.errors import translated
from coordwatch.adapters.sql.incident_tables import repairs
from coordwatch.adapters.sql.migrating import Standing, standing_of
from coordwatch.adapters.sql.schema import (
    alerts,
    aliases,
    audit,
    dead_letters,
    detections,
    ledger,
    reaches,
    tallies,
)
from coordwatch.adapters.sql.sending import telling_views
from coordwatch.adapters.sql.verdicts import standing_verdict, verdict_counts
from coordwatch.codec import decode_json
from coordwatch.engine.ledger import Reach, ReachLine
from coordwatch.ports import (
    AlertRow,
    AlertView,
    AuditEntry,
    CustomerRow,
    DeadLetter,
    DecidedRepair,
    PairCount,
    RuleCounts,
    ToolCount,
)

_AFFECTED = 200


def standing_on(database: Database) -> Standing | None:
    """What tables a database has, which is not changed; None for an empty one.

    Raises: PermanentError for tables that cannot be used, or a database of something else; TemporaryError
    """
    engine = open_engine(database, Manner(), writes=False)
    try:
        with translated(), engine.connect() as connection:
            return standing_of(connection)
    finally:
        engine.dispose()


class SqlReader:
    """The AlertReader of a database. Raises: TemporaryError when the database is busy or gone."""

    def __init__(self, engine: Engine) -> None:
        self._reading = engine

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with translated(), self._reading.connect() as connection:
            yield connection

    def alerts(self, filters: Mapping[str, str], limit: int, cursor: str | None) -> tuple[list[AlertRow], str | None]:
        query = list_query(filters, limit, cursor)
        question = select(alerts).where(*_conditions(query))
        for name, descending in query.order:
            column = _order_column(name)
            question = question.order_by(column.desc() if descending else column.asc())
        with self._read() as connection:
            rows = connection.execute(question.order_by(alerts.c.id).limit(query.limit + 1)).mappings().all()
        shown = [dict(row) for row in rows[: query.limit]]
        return [alert_row(row) for row in shown], cursor_after(query, shown[-1]) if len(rows) > len(shown) else None

    def customers(self, limit: int, after: tuple[int, int, str] | None = None) -> list[CustomerRow]:
        live = case((alerts.c.status.in_(LIVE_STATUSES), 1), else_=0)
        rank = case((alerts.c.status.in_(LIVE_STATUSES), alerts.c.severity_rank))
        opened, last_at = func.sum(live), func.max(alerts.c.last_at)
        question = (
            select(
                alerts.c.customer,
                opened.label("open"),
                func.count().label("total"),
                func.min(rank).label("rank"),
                last_at.label("last_at"),
            )
            .group_by(alerts.c.customer)
            .order_by(opened.desc(), last_at.desc(), alerts.c.customer)
            .limit(limit)
        )
        if after is not None:
            same = and_(opened == after[0], last_at == after[1], alerts.c.customer > after[2])
            older = and_(opened == after[0], last_at < after[1])
            question = question.having(or_(opened < after[0], older, same))
        with self._read() as connection:
            rows = connection.execute(question).all()
        return [customer_row(row.customer, row.open, row.total, row.rank, row.last_at) for row in rows]

    def alert(self, alert_id: str) -> AlertView | None:
        with self._read() as connection:
            row = connection.execute(select(alerts).where(alerts.c.id == alert_id)).mappings().first()
            if row is None:
                return None
            bodies = connection.execute(
                select(detections.c.body)
                .where(detections.c.alert == alert_id)
                .order_by(detections.c.at.desc(), detections.c.id.desc())
                .limit(_AFFECTED)
            ).scalars()
            entries = connection.execute(select(audit).where(audit.c.alert == alert_id).order_by(audit.c.number)).all()
            others = connection.execute(_affected(row["incident"], row["customer"])).scalars()
            return AlertView(
                row=alert_row(dict(row)),
                detections=[decode_json(body) for body in bodies],
                audit=[AuditEntry(entry.at, entry.actor, entry.action, entry.note) for entry in entries],
                also_affected=list(others),
                undoable=row["undo"] is not None,
                tellings=telling_views(connection, alert_id),
                verdict=standing_verdict(connection, alert_id).verdict or "",
            )

    def alert_totals(self) -> Mapping[str, int]:
        by_both = select(alerts.c.status, alerts.c.severity, func.count()).group_by(alerts.c.status, alerts.c.severity)
        totals: Counter[str] = Counter()
        with self._read() as connection:
            for status, severity, count in connection.execute(by_both):
                totals[status] += count
                if status in LIVE_STATUSES:
                    totals[severity] += count
        return dict(totals)

    def customer_alerts(self, customer: str) -> list[AlertRow]:
        through = select(detections.c.alert).where(
            detections.c.customer == customer, detections.c.status != "retracted"
        )
        mine = or_(alerts.c.customer == customer, alerts.c.id.in_(through))
        question = select(alerts).where(mine).order_by(alerts.c.at.desc(), alerts.c.id)
        with self._read() as connection:
            return [alert_row(dict(row)) for row in connection.execute(question.limit(_AFFECTED)).mappings()]

    def customer_repairs(self, customer: str) -> list[DecidedRepair]:
        columns = (repairs.c.incident, repairs.c.state, repairs.c.by, repairs.c.at, repairs.c.note)
        question = select(*columns).where(repairs.c.customer == customer).order_by(repairs.c.at, repairs.c.incident)
        with self._read() as connection:
            return [DecidedRepair(*row) for row in connection.execute(question)]

    def rule_counts(self) -> list[RuleCounts]:
        marked = case((alerts.c.status == "not_a_conflict", 1), else_=0)
        by_rule = select(alerts.c.rule, func.count(), func.sum(marked)).group_by(alerts.c.rule)
        with self._read() as connection:
            raised = {row[0]: (row[1], row[2]) for row in connection.execute(by_rule)}
            amounts = connection.execute(_amounts(ledger.c.rule, ledger.c.hour, ledger.c.kind)).all()
            verdicts = verdict_counts(connection)
        return rule_counts_of([(row[0], row[1], row[2], row[3]) for row in amounts], raised, verdicts)

    def pair_counts(self) -> list[PairCount]:
        with self._read() as connection:
            amounts = connection.execute(_amounts(ledger.c.act_tool, ledger.c.evidence_tool, ledger.c.kind)).all()
        return pair_counts_of([(row[0], row[1], row[2], row[3]) for row in amounts])

    def tool_counts(self) -> list[ToolCount]:
        columns = (ledger.c.rule, ledger.c.act_tool, ledger.c.evidence_tool, ledger.c.kind)
        with self._read() as connection:
            return [ToolCount(*row) for row in connection.execute(_amounts(*columns).order_by(*columns))]

    def dead_letters(self, limit: int, after: tuple[int, str] | None = None) -> list[DeadLetter]:
        question = select(dead_letters).order_by(dead_letters.c.at.desc(), dead_letters.c.id).limit(limit)
        if after is not None:
            at, last = after
            same = and_(dead_letters.c.at == at, dead_letters.c.id > last)
            question = question.where(or_(dead_letters.c.at < at, same))
        with self._read() as connection:
            return [DeadLetter(**row) for row in connection.execute(question).mappings()]

    def tallies(self) -> Mapping[str, int]:
        with self._read() as connection:
            summed = select(tallies.c.stage, tallies.c.name, _sum(tallies.c.amount))
            rows = connection.execute(summed.group_by(tallies.c.stage, tallies.c.name)).all()
        return accounts_of((row[0], row[1], row[2]) for row in rows)

    def reaches(self) -> dict[ReachLine, Reach]:
        with self._read() as connection:
            rows = connection.execute(select(reaches)).all()
        return {ReachLine(row.input, row.place): Reach(row.through, row.heard_at, row.read_to_end_at) for row in rows}

    def customer_now(self, key: str) -> str:
        with self._read() as connection:
            return connection.execute(select(aliases.c.customer).where(aliases.c.old == key)).scalar() or key

    def former_keys(self, customer: str) -> list[str]:
        question = select(aliases.c.old).where(aliases.c.customer == customer).order_by(aliases.c.old)
        with self._read() as connection:
            return list(connection.execute(question.limit(_AFFECTED)).scalars())


def _affected(incident: str, customer: str) -> Select[Any]:
    """The other customers whom the same cause hit, whether it made them alerts of their own or not."""
    return (
        select(detections.c.customer)
        .join(alerts, alerts.c.id == detections.c.alert)
        .where(alerts.c.incident == incident, detections.c.customer != customer, detections.c.status != "retracted")
        .group_by(detections.c.customer)
        .order_by(detections.c.customer)
        .limit(_AFFECTED)
    )


def _amounts(*columns: Column[Any]) -> Select[Any]:
    return select(*columns, _sum(ledger.c.amount)).group_by(*columns)


def _sum(column: Column[Any]) -> ColumnElement[int]:
    """A sum as a whole number: PostgreSQL would give a decimal one."""
    return cast(func.sum(column), BigInteger)


def _order_column(name: str) -> ColumnElement[Any]:
    column = alerts.c[name]
    # The number stands in the text, so that the index of the same words is found.
    return func.coalesce(column, literal_column("-1")) if column.nullable else column


def _conditions(query: ListQuery) -> list[ColumnElement[bool]]:
    conditions = [_condition(name, value) for name, value in query.filters.items()]
    if query.after is not None:
        conditions.append(_after(query, query.after))
    return conditions


def _condition(name: str, value: str | tuple[str, ...] | int) -> ColumnElement[bool]:
    if isinstance(value, tuple):
        return alerts.c[name].in_(value)
    if name == "tool":
        return or_(alerts.c.act_tool == value, alerts.c.evidence_tool == value)
    if name == "incident":
        return alerts.c.incident_id == value
    if name == "since":
        return alerts.c.at >= value
    if name == "q":
        wanted = str(value)
        columns = (alerts.c.sentence, alerts.c.customer, alerts.c.rule)
        return or_(*(column.icontains(wanted, autoescape=True) for column in columns))
    return alerts.c[name] == value


def _after(query: ListQuery, after: tuple[Any, ...]) -> ColumnElement[bool]:
    """Rows behind the last one seen: equal in the first columns and further on in the next one."""
    columns = [(_order_column(name), descending) for name, descending in query.order]
    steps = [*columns, (alerts.c.id, False)]
    choices: list[ColumnElement[bool]] = []
    for index, (column, descending) in enumerate(steps):
        equal = [steps[before][0] == after[before] for before in range(index)]
        further = column < after[index] if descending else column > after[index]
        choices.append(and_(*equal, further))
    return or_(*choices)
