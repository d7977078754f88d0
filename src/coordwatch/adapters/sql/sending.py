"""The sending side of the outbox: a message is leased, sent, and what came of it is kept.

What enters: senders that ask for work, answers of receivers.
What leaves: Work under a lease; how channels stand; the history of telling of an alert.
The next room: `adapters/channels`.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.engines import Transaction
from coordwatch.adapters.sql.grouping import WAITING, read_body
from coordwatch.adapters.sql.outbox import DONE, REFUSED, WITHDRAWN
from coordwatch.adapters.sql.outbox_tables import channels, messages, steps, tellings
from coordwatch.adapters.sql.schema import alerts, tallies
from coordwatch.adapters.sql.trail import write_down
from coordwatch.alerts.alert import ENGINE
from coordwatch.alerts.lifecycle import AlertStatus
from coordwatch.audit.deed import Deed, DeedKind
from coordwatch.codec import decode_json
from coordwatch.events.times import SECOND
from coordwatch.notify.delivery import Answer, Outcome, next_try
from coordwatch.notify.outbox import STEP, ChannelView, TellingView, Work

LEASE = 90 * SECOND


class SqlSending:
    """Work and answers of one database; any number of processes may send from it."""

    def __init__(self, write: Transaction, read: Transaction) -> None:
        self._write, self._read = write, read

    def claim(self, channel: str, owner: str, now: int, limit: int) -> list[Work]:
        """Take what is due; one that is over before anybody was told is withdrawn instead."""
        if not self._is_due(channel, now):
            return []
        works: list[Work] = []
        with self._write() as connection:
            due = (
                select(messages)
                .where(*_due(channel, now))
                .order_by(messages.c.next_at, messages.c.made_at, messages.c.id)
            )
            rows = connection.execute(due.limit(limit).with_for_update(skip_locked=True)).mappings().all()
            for row in rows:
                this = messages.c.id == row["id"]
                message = read_body(row["body"])
                if message.is_over and not row["sent"] and not row["unsure"]:
                    said = "it was over before anybody was told"
                    connection.execute(
                        messages.update().where(this).values(state=WITHDRAWN, answer=said, leased_by=None)
                    )
                    _count(connection, channel, Outcome.WITHDRAWN)
                    continue
                lease = now + LEASE
                taken = {"leased_by": owner, "leased_until": lease, "attempts": row["attempts"] + 1, "unsure": True}
                connection.execute(messages.update().where(this).values(**taken))
                works.append(_work(row, lease, now))
        return works

    def _is_due(self, channel: str, now: int) -> bool:
        """A look without writing, since most looks find nothing."""
        held = select(channels.c.held_until).where(channels.c.name == channel)
        with self._read() as connection:
            if (connection.execute(held).scalar() or 0) > now:
                return False
            return connection.execute(select(messages.c.id).where(*_due(channel, now)).limit(1)).first() is not None

    def finish(self, owner: str, done: Sequence[tuple[Work, Answer]], resend: int | None, now: int) -> None:
        """Keep what came of it, and leave the channel alone for a while when it could not take more."""
        with self._write() as connection:
            for work, answer in done:
                this = (messages.c.id == work.message.id, messages.c.leased_by == owner)
                mine = (*this, messages.c.leased_until == work.lease)
                question = select(messages.c.version, messages.c.reference).where(*mine).with_for_update()
                row = connection.execute(question).first()
                if row is None:
                    continue
                values = _after(work, answer, row.version, resend, now)
                connection.execute(messages.update().where(*mine).values(**values))
                _count(connection, work.message.channel, answer.outcome)
                _hold(connection, work.message.channel, answer, now)

    def release(self, now: int) -> None:
        """Give back what senders had when they died; for a process that has the database for itself."""
        with self._write() as connection:
            held = messages.c.leased_until > now
            connection.execute(messages.update().where(held).values(leased_until=now))

    def retry(self, channel: str, now: int, by: str = ENGINE) -> int:
        """Try again what a channel refused, and give how many that are."""
        with self._write() as connection:
            gone = (messages.c.channel == channel, messages.c.state == REFUSED)
            values = {"state": WAITING, "next_at": now, "attempts": 0}
            connection.execute(channels.update().where(channels.c.name == channel).values(held_until=0, failures=0))
            count = connection.execute(messages.update().where(*gone).values(**values)).rowcount
            write_down(connection, [Deed(now, by, DeedKind.CHANNEL_RETRY, channel, {"messages": count})])
            return count

    def views(self) -> list[ChannelView]:
        """How every channel stands."""
        counts = (
            select(messages.c.channel, messages.c.state, func.count().label("amount"), func.min(messages.c.made_at).label("oldest"))
            .where(messages.c.sent < messages.c.version)
            .group_by(messages.c.channel, messages.c.state)
        )  # fmt: skip
        with self._read() as connection:
            open_now = {(row.channel, row.state): row for row in connection.execute(counts)}
            rows = connection.execute(select(channels).order_by(channels.c.name)).all()
        views: list[ChannelView] = []
        for row in rows:
            waiting, no = open_now.get((row.name, WAITING)), open_now.get((row.name, REFUSED))
            views.append(
                ChannelView(
                    name=row.name,
                    waiting=waiting.amount if waiting else 0,
                    oldest=waiting.oldest if waiting else None,
                    refused=no.amount if no else 0,
                    held_until=row.held_until,
                    delivered_at=row.delivered_at,
                    answer=row.answer,
                )
            )
        return views


def telling_views(connection: Connection, alert: str) -> tuple[TellingView, ...]:
    """Who was told of an alert, or why not, oldest first."""
    question = (
        select(tellings.c.at, tellings.c.channel.label("told"), tellings.c.reason, tellings.c.note, messages)
        .join(messages, messages.c.id == tellings.c.message, isouter=True)
        .where(tellings.c.alert == alert)
        .order_by(tellings.c.number)
    )
    coming = (
        select(steps)
        .join(alerts, alerts.c.id == steps.c.alert)
        .where(steps.c.alert == alert, alerts.c.status == AlertStatus.OPEN.value)
        .order_by(steps.c.due, steps.c.name)
    )
    told = [_telling(row) for row in connection.execute(question).mappings()]
    return (*told, *(_step(row) for row in connection.execute(coming).mappings()))


def _step(row: RowMapping) -> TellingView:
    """Who is told later, unless somebody looks."""
    to = ", ".join(decode_json(row["receivers"]))
    return TellingView(row["due"], to, row["reason"], state=STEP, next_at=row["due"], note=row["words"])


def _due(channel: str, now: int) -> tuple[Any, ...]:
    mine = (messages.c.channel == channel, messages.c.state == WAITING)
    return (*mine, messages.c.next_at <= now, messages.c.leased_until <= now)


def _work(row: RowMapping, lease: int, now: int) -> Work:
    return Work(
        message=read_body(row["body"]),
        sent=row["sent"],
        attempts=row["attempts"] + 1,
        unsure=row["unsure"],
        reference=row["reference"],
        lease=lease,
        now=now,
    )


def _after(work: Work, answer: Answer, version: int, resend: int | None, now: int) -> dict[str, Any]:
    free: dict[str, Any] = {"leased_by": None, "leased_until": 0, "answer": answer.words}
    if answer.outcome is Outcome.AGAIN:
        due = now + next_try(work.message.id, work.attempts, answer.retry_after)
        return free | {"next_at": due, "unsure": not answer.sure or (work.unsure and not work.sent)}
    if answer.outcome is Outcome.REFUSED:
        return free | {"state": REFUSED, "unsure": False}
    sent = work.message.version
    stays = sent == version
    repeats = stays and resend is not None and not work.message.is_over
    free |= {"sent": sent, "attempts": 0, "unsure": False}
    # When it was told first is what people ask for; what is said again to a receiver that forgets is no news.
    if work.sent < sent:
        free["delivered_at"] = now
    if answer.reference is not None:
        free["reference"] = answer.reference
    if repeats and resend is not None:
        return free | {"next_at": now + resend}
    return free | ({"state": DONE} if stays else {"next_at": now})


def _hold(connection: Connection, channel: str, answer: Answer, now: int) -> None:
    this = channels.c.name == channel
    if answer.outcome is not Outcome.AGAIN:
        values: dict[str, Any] = {"held_until": 0, "failures": 0, "answer": answer.words}
        if answer.outcome is Outcome.DELIVERED:
            values["delivered_at"] = now
        connection.execute(channels.update().where(this).values(**values))
        return
    failures = int(connection.execute(select(channels.c.failures).where(this).with_for_update()).scalar() or 0) + 1
    held = now + next_try(channel, failures, answer.retry_after)
    connection.execute(channels.update().where(this).values(held_until=held, failures=failures, answer=answer.words))


def _count(connection: Connection, channel: str, outcome: Outcome) -> None:
    row = {"stage": "notify", "place": channel, "name": f"message.{outcome.value}.{channel}", "amount": 1}
    upsert(connection, tallies, [row], add=("amount",))


def _telling(row: RowMapping) -> TellingView:
    if row["id"] is None:
        return TellingView(row["at"], row["told"], row["reason"], note=row["note"] or "")
    message = read_body(row["body"])
    return TellingView(
        at=row["at"],
        channel=row["told"],
        reason=row["reason"],
        note=row["note"] or "",
        state=row["state"],
        many=message.total if message.many else 0,
        attempts=row["attempts"],
        next_at=row["next_at"],
        delivered_at=row["delivered_at"],
        answer=row["answer"],
    )
