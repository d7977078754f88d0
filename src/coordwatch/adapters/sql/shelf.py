"""What the pages keep and look up beside alerts, in the database.

What enters: views with a name, rules as they are written; questions.
What leaves: the views of `ports.shelf`.
The next room: the pages and the API.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Row, case, func, select

from coordwatch.adapters.alert_rows import LIVE_STATUSES, alert_row
from coordwatch.adapters.sql.engines import Transaction
from coordwatch.adapters.sql.schema import alerts, audit
from coordwatch.adapters.sql.shelf_tables import rule_versions, saved_views
from coordwatch.adapters.sql.trail import write_down
from coordwatch.alerts.alert import ENGINE
from coordwatch.audit.deed import Deed, DeedKind
from coordwatch.codec import decode_json, encode_json
from coordwatch.ports import VIEWS_MOST, AuditEntry, CampaignRow, Moved, RuleVersion, SavedView, ViewCheck, anything

_VERSIONS_MOST = 200


def digest_of(text: str) -> str:
    """A short name of a rule as it is written."""
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _view(row: Row[Any]) -> SavedView:
    return SavedView(row.name, decode_json(row.query.encode()), row.actor, row.at)


def _standing(connection: Connection, name: str) -> SavedView | None:
    row = connection.execute(select(saved_views).where(saved_views.c.name == name)).first()
    return None if row is None else _view(row)


class SqlShelf:
    """The Shelf of one database."""

    def __init__(self, write: Transaction, read: Transaction) -> None:
        self._write, self._read = write, read

    def views(self) -> list[SavedView]:
        with self._read() as connection:
            rows = connection.execute(select(saved_views).order_by(saved_views.c.name)).all()
        return [_view(row) for row in rows]

    def keep_view(self, view: SavedView, check: ViewCheck = anything) -> bool:
        row = {"query": encode_json(dict(view.query)).decode(), "actor": view.actor, "at": view.at}
        same = saved_views.c.name == view.name
        with self._write() as connection:
            check(_standing(connection, view.name))
            if not connection.execute(saved_views.update().where(same).values(row)).rowcount:
                if (connection.execute(select(func.count()).select_from(saved_views)).scalar() or 0) >= VIEWS_MOST:
                    return False
                connection.execute(saved_views.insert().values(name=view.name, **row))
            write_down(connection, [Deed(view.at, view.actor, DeedKind.VIEW_SAVE, view.name)])
        return True

    def drop_view(self, name: str, by: str, at: int, check: ViewCheck = anything) -> bool:
        with self._write() as connection:
            check(_standing(connection, name))
            gone = bool(connection.execute(saved_views.delete().where(saved_views.c.name == name)).rowcount)
            write_down(connection, [Deed(at, by, DeedKind.VIEW_REMOVE, name)] if gone else [])
            return gone

    def note_rules(self, texts: Mapping[str, str], at: int) -> list[str]:
        digests = {rule: digest_of(text) for rule, text in texts.items()}
        with self._write() as connection:
            newest: dict[str, tuple[int, str]] = {}
            versions = select(rule_versions.c.rule, rule_versions.c.at, rule_versions.c.digest)
            for rule, when, digest in connection.execute(versions.order_by(rule_versions.c.at)):
                newest[rule] = (when, digest)
            new = [rule for rule in texts if rule not in newest or newest[rule][1] != digests[rule]]
            rows = [
                # Two changes within one instant of a clock that stood still are still two.
                {"rule": rule, "at": max(at, newest[rule][0] + 1 if rule in newest else at), "digest": digests[rule],
                 "text": texts[rule]}
                for rule in new
            ]  # fmt: skip
            if rows:
                connection.execute(rule_versions.insert(), rows)
        return [rule for rule in new if rule in newest]

    def rule_versions(self, rule: str | None = None) -> list[RuleVersion]:
        columns = [rule_versions.c.rule, rule_versions.c.at, rule_versions.c.digest]
        question = select(*columns, *([rule_versions.c.text] if rule is not None else []))
        if rule is not None:
            question = question.where(rule_versions.c.rule == rule).limit(_VERSIONS_MOST)
        with self._read() as connection:
            rows = connection.execute(question.order_by(rule_versions.c.at.desc(), rule_versions.c.rule)).all()
        return [RuleVersion(row[0], row[1], row[2], row[3] if rule is not None else "") for row in rows]

    def campaigns(self, limit: int) -> list[CampaignRow]:
        live = func.sum(case((alerts.c.status.in_(LIVE_STATUSES), 1), else_=0))
        total, last = func.count(), func.max(alerts.c.at)
        question = (
            select(alerts.c.campaign, alerts.c.act_tool, live, total, last)
            .where(alerts.c.campaign.is_not(None))
            .group_by(alerts.c.campaign, alerts.c.act_tool)
            .order_by(live.desc(), total.desc(), alerts.c.campaign, alerts.c.act_tool)
            .limit(limit)
        )
        with self._read() as connection:
            return [CampaignRow(row[0], row[1], int(row[2]), row[3], row[4]) for row in connection.execute(question)]

    def last_acts(self, alerts: Sequence[str]) -> dict[str, AuditEntry]:
        if not alerts:
            return {}
        newest = (
            select(func.max(audit.c.number))
            .where(audit.c.alert.in_(alerts), audit.c.actor != ENGINE)
            .group_by(audit.c.alert)
        )
        with self._read() as connection:
            rows = connection.execute(select(audit).where(audit.c.number.in_(newest))).all()
        return {row.alert: AuditEntry(row.at, row.actor, row.action, row.note) for row in rows}

    def moves(self, after: int, limit: int) -> list[Moved]:
        happened = (audit.c.number.label("move"), audit.c.action, audit.c.actor, audit.c.at.label("moved_at"))
        question = select(alerts, *happened).join(alerts, alerts.c.id == audit.c.alert).where(audit.c.number > after)
        with self._read() as connection:
            rows = connection.execute(question.order_by(audit.c.number).limit(limit)).mappings().all()
        return [Moved(row["move"], alert_row(dict(row)), row["action"], row["actor"], row["moved_at"]) for row in rows]

    def newest_move(self) -> int:
        with self._read() as connection:
            return connection.execute(select(func.max(audit.c.number))).scalar() or 0
