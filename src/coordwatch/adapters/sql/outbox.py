"""The outbox: decisions, the messages that follow from them, and who is sending which; each step one transaction.

What enters: decisions; senders that ask for work and say what came of it.
What leaves: rows, so that a process may die between any two steps and the next one knows what is left to do.
The next room: `adapters/channels`, which send.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, distinct, func, select

from coordwatch.adapters.alert_rows import LIVE_STATUSES, from_flat
from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.engines import Transaction
from coordwatch.adapters.sql.grouping import WAITING, open_groups, read_body, takes_more
from coordwatch.adapters.sql.held import keep_holds
from coordwatch.adapters.sql.held_tables import held
from coordwatch.adapters.sql.outbox_tables import channels, messages, steps, tellings, unheard
from coordwatch.adapters.sql.schema import alerts
from coordwatch.adapters.sql.steps import due_steps, keep_steps, take
from coordwatch.alerts.alert import Alert
from coordwatch.alerts.fold import AlertChange
from coordwatch.alerts.lifecycle import AlertAction, AlertStatus
from coordwatch.codec import decode_json, encode_json
from coordwatch.notify.channel import Channel, ChannelKind
from coordwatch.notify.decide import NotifyReason
from coordwatch.notify.message import CANARY, Message, message_to_plain
from coordwatch.notify.pace import Window
from coordwatch.notify.plan import Decided, Plan, Telling, plan, recounted
from coordwatch.notify.route import Step

DONE, REFUSED, WITHDRAWN = "done", "refused", "withdrawn"
_CHUNK = 400
_NEW_CHANNEL = {
    "began": Window().began, "singles": 0, "fold": None, "until": Window().until, "folds": 0, "held_until": 0, "failures": 0,
    "delivered_at": None, "answer": "",
}  # fmt: skip
_NEW_MESSAGE = {
    "sent": 0, "attempts": 0, "unsure": False, "leased_by": None, "leased_until": 0, "delivered_at": None, "reference": None,
    "answer": "",
}  # fmt: skip


class SqlOutbox:
    """The deciding side of the outbox of one database. Takes: `known`, the channels of the settings."""

    def __init__(self, write: Transaction, read: Transaction, known: Sequence[Channel]) -> None:
        self._write, self._read = write, read
        self._known = tuple(one for one in known if one.kind is not ChannelKind.CANARY)
        with self._write() as connection:
            there = set(connection.execute(select(channels.c.name)).scalars())
            for one in known:
                if one.name not in there:
                    connection.execute(channels.insert().values(name=one.name, **_NEW_CHANNEL))

    def decide(self, decisions: Sequence[Decided], at: int, now: int) -> None:
        """Keep what was decided, with every message that follows from it; what has changed since is decided again."""
        if not decisions:
            return
        with self._write() as connection:
            standing = _versions(connection, [one.alert.id for one in decisions])
            fresh = [one for one in decisions if standing.get(one.alert.id) == one.alert.version]
            if self._tell(connection, fresh, at, now):
                connection.execute(_NOTICE, [{"decided": one.alert.id, "reason": one.reason.value} for one in fresh])
                connection.execute(_HEARD, [{"heard": one.alert.id} for one in fresh])
                keep_holds(connection, fresh)
                keep_steps(connection, fresh)

    def _tell(self, connection: Connection, fresh: Sequence[Decided], at: int, now: int) -> bool:
        """Write what every channel is told about these, and the history; whether there was anything."""
        told = [telling for channel in self._known for telling in _on_channel(connection, channel, fresh, now)]
        _recount(connection, fresh, now)
        heard = {one.alert for one in told}
        quiet = [_unheard(one, bool(self._known)) for one in fresh if one.alert.id not in heard]
        rows = [
            {
                "alert": one.alert,
                "at": at,
                "channel": one.channel,
                "reason": one.reason.value,
                "message": one.message,
                "note": one.note or None,
            }
            for one in (*told, *quiet)
        ]
        if rows:
            connection.execute(tellings.insert(), rows)
        return bool(rows)

    def steps_due(self, at: int, limit: int) -> list[tuple[Alert, Step]]:
        """Steps whose time has come, with their alerts."""
        with self._read() as connection:
            return due_steps(connection, at, limit)

    def take_steps(self, decisions: Sequence[Decided], at: int, now: int) -> None:
        """Take steps, each once, with every message that follows from it, where the alert is still open."""
        if not decisions:
            return
        with self._write() as connection:
            # One after the other: two steps of one alert are two messages, or one that is said again.
            for one in take(connection, decisions, at):
                self._tell(connection, [one], at, now)

    def pending(self, limit: int) -> list[Alert]:
        """Alerts that were decided on once and have changed since, but for those that wait for a decision anyway."""
        question = select(alerts).join(unheard, unheard.c.alert == alerts.c.id).where(alerts.c.notice.is_not(None))
        with self._read() as connection:
            rows = connection.execute(question.order_by(alerts.c.last_at, alerts.c.id).limit(limit)).mappings()
            return [from_flat(dict(row)) for row in rows]

    def canary(self, made: Sequence[Message], now: int) -> None:
        """Put canaries on their channels in place of those that have arrived."""
        with self._write() as connection:
            for one in made:
                gone = (messages.c.channel == one.channel, messages.c.subject.startswith(CANARY))
                connection.execute(messages.delete().where(*gone, messages.c.state != WAITING))
                _put(connection, Plan(Window(), {one.id: one}, [], {one.id: now}), now)


_NOTICE = alerts.update().where(alerts.c.id == bindparam("decided")).values(notice=bindparam("reason"))


_HEARD = unheard.delete().where(unheard.c.alert == bindparam("heard"))


def note_changes(connection: Connection, changes: Iterable[AlertChange]) -> None:
    """Remember in this transaction that alerts have changed, so that channels hear of it whoever dies when."""
    rows = {
        change.alert.id: {"alert": change.alert.id, "version": change.alert.version}
        for change in changes
        if change.before is not None and _matters(change)
    }
    upsert(connection, unheard, list(rows.values()))


def _matters(change: AlertChange) -> bool:
    again = change.action is AlertAction.REPEAT and change.alert.status is not AlertStatus.OPEN
    return again or change.before is not change.alert.status


def _versions(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in _parts(ids):
        question = select(alerts.c.id, alerts.c.version).where(alerts.c.id.in_(part)).with_for_update()
        found.update((row.id, row.version) for row in connection.execute(question))
    return found


def _unheard(one: Decided, channels_known: bool) -> Telling:
    """Why no channel hears of it; without any channel the inbox is where people look."""
    reason = NotifyReason.NO_CHANNEL if one.reason.tells and channels_known else one.reason
    return Telling(one.alert.id, "", reason, note=one.note)


def _on_channel(connection: Connection, channel: Channel, fresh: Sequence[Decided], now: int) -> list[Telling]:
    if not fresh:
        return []
    mine = channels.c.name == channel.name
    row = connection.execute(select(channels).where(mine).with_for_update()).one()
    window = _still_open(connection, channel.name, Window(row.began, row.singles, row.fold, row.until, row.folds), now)
    standing = _standing(connection, channel.name, [one.alert.id for one in fresh], window)
    grouped, begun = open_groups(connection, channel.name, fresh, now)
    done = plan(channel, window, {**standing, **begun}, grouped, now)
    if done.window != window:
        after = done.window
        values = {"began": after.began, "singles": after.singles, "fold": after.fold, "until": after.until}
        connection.execute(channels.update().where(mine).values(**values, folds=after.folds))
    _put(connection, done, now)
    return done.tellings


def _still_open(connection: Connection, channel: str, window: Window, now: int) -> Window:
    """The window, closed when a sender whose clock is ahead has its gathering already."""
    if window.fold is None or now >= window.until:
        return window
    question = select(messages.c.sent, messages.c.leased_by, messages.c.state).with_for_update()
    row = connection.execute(question.where(messages.c.channel == channel, messages.c.subject == window.fold)).first()
    if row is not None and takes_more(row):
        return window
    return replace(window, until=now)


def _standing(connection: Connection, channel: str, ids: Sequence[str], window: Window) -> dict[str, Message]:
    """By alert the message about it, one about it alone first; by its id the gathering that is open."""
    found: dict[str, Message] = {}
    for part in _parts(ids):
        question = (
            select(tellings.c.alert, messages.c.body)
            .join(messages, messages.c.id == tellings.c.message)
            .where(tellings.c.alert.in_(part), tellings.c.channel == channel)
            .order_by(messages.c.many.desc(), tellings.c.number)
        )
        for row in connection.execute(question):
            found[row.alert] = read_body(row.body)
    if window.fold is not None:
        open_now = (messages.c.channel == channel, messages.c.subject == window.fold)
        body = connection.execute(select(messages.c.body).where(*open_now)).scalar()
        if body is not None:
            message = read_body(body)
            found[message.id] = message
    return found


def _put(connection: Connection, done: Plan, now: int) -> None:
    """Write messages; what is being sent just now stays leased, and is due again when its sender has finished."""
    for message in done.messages.values():
        values = {
            "channel": message.channel, "subject": message.subject, "many": message.many, "version": message.version,
            "state": WAITING, "next_at": done.due[message.id], "body": encode_json(message_to_plain(message)),
        }  # fmt: skip
        if message.id in done.anew:
            values["reference"] = None
        this = messages.c.id == message.id
        if not connection.execute(messages.update().where(this).values(**values)).rowcount:
            connection.execute(messages.insert().values({"id": message.id, "made_at": now, **_NEW_MESSAGE, **values}))


def _recount(connection: Connection, fresh: Iterable[Decided], now: int) -> None:
    """Messages about many say when the last of their alerts is over."""
    moved = [one.alert.id for one in fresh if one.alert.version > 1]
    folds: set[str] = set()
    for part in _parts(moved):
        question = select(messages.c.id).distinct().join(tellings, messages.c.id == tellings.c.message)
        folds.update(connection.execute(question.where(tellings.c.alert.in_(part), messages.c.many)).scalars())
    for fold in sorted(folds):
        row = connection.execute(select(messages).where(messages.c.id == fold).with_for_update()).one()
        question = (
            select(func.count(distinct(alerts.c.id)))
            .join(tellings, tellings.c.alert == alerts.c.id)
            .where(tellings.c.message == fold, alerts.c.status.in_(LIVE_STATUSES))
        )
        before = read_body(row.body)
        message = recounted(before, int(connection.execute(question).scalar() or 0))
        values: dict[str, Any] = {"version": message.version, "body": encode_json(message_to_plain(message))}
        if message.version != before.version and row.sent:
            values |= {"state": WAITING, "next_at": now}
        if message != before:
            connection.execute(messages.update().where(messages.c.id == fold).values(**values))


def forget_alert(connection: Connection, alert: str) -> None:
    """Take an alert out of everything that is told or was: its own messages, its lines in others, its history."""
    told = select(tellings.c.message).where(tellings.c.alert == alert, tellings.c.message.is_not(None))
    for row in connection.execute(
        select(messages.c.id, messages.c.many, messages.c.body).where(messages.c.id.in_(told))
    ):
        this = messages.c.id == row.id
        if not row.many:
            connection.execute(messages.delete().where(this))
            continue
        body = decode_json(row.body)
        body["lines"] = [one for one in body["lines"] if one["alert"] != alert]
        connection.execute(messages.update().where(this).values(body=encode_json(body)))
    connection.execute(messages.delete().where(messages.c.subject == alert))
    connection.execute(tellings.delete().where(tellings.c.alert == alert))
    connection.execute(unheard.delete().where(unheard.c.alert == alert))
    connection.execute(held.delete().where(held.c.alert == alert))
    connection.execute(steps.delete().where(steps.c.alert == alert))


def _parts(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
