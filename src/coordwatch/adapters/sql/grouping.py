"""Messages about many that still take more: their senders have not taken them yet.

What enters: a connection in a transaction, decisions with their groups.
What leaves: the same, each with the stretch whose message can still be joined; the messages that were begun.
The next room: `outbox`, which plans with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, select

from coordwatch.adapters.sql.outbox_tables import messages
from coordwatch.codec import decode_json
from coordwatch.notify.message import Message, message_from_plain, message_id
from coordwatch.notify.plan import Decided
from coordwatch.notify.route import Group

WAITING = "waiting"
_BEGUN = select(messages.c.state, messages.c.sent, messages.c.leased_by, messages.c.body).where(
    messages.c.id == bindparam("begun")
)
# A sender whose clock is ahead may have the stretch of now, hardly ever that of a while to come.
_STRETCHES = 5


def open_groups(
    connection: Connection, channel: str, fresh: Sequence[Decided], now: int
) -> tuple[list[Decided], dict[str, Message]]:
    """Decisions with groups that still take more, and by their ids the messages of these groups."""
    chosen: dict[Group, Group] = {}
    begun: dict[str, Message] = {}
    for group in {one.groups[channel]: None for one in fresh if channel in one.groups}:
        found = _first_open(connection, channel, group, now)
        if found is not None:
            chosen[group], messages_begun = found
            begun |= messages_begun
    return [_within(one, channel, chosen) for one in fresh], begun


def _first_open(
    connection: Connection, channel: str, group: Group, now: int
) -> tuple[Group, dict[str, Message]] | None:
    """The first stretch whose message can be joined or begun; None when there is none, and each is told by itself."""
    for skip in range(_STRETCHES):
        this = replace(group, skip=skip)
        key = message_id(channel, this.stretch(now)[0])
        row = connection.execute(_BEGUN.with_for_update(), {"begun": key}).first()
        if row is None:
            return this, {}
        if takes_more(row):
            return this, {key: read_body(row.body)}
    return None


def _within(one: Decided, channel: str, chosen: Mapping[Group, Group]) -> Decided:
    group = one.groups.get(channel)
    if group is None:
        return one
    others = {name: other for name, other in one.groups.items() if name != channel}
    return replace(one, groups=others | ({channel: chosen[group]} if group in chosen else {}))


def takes_more(row: Any) -> bool:
    """Whether the message of a row can still be joined: nobody has it, and nobody was told of it."""
    return row.state == WAITING and not row.sent and row.leased_by is None


def read_body(body: bytes) -> Message:
    """The message in a row."""
    return message_from_plain(decode_json(body))
