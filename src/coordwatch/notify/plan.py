"""The plan: what one channel is told about what was decided, and what is written down about it.

What enters: decisions, the channel's window, what stands on it already.
What leaves: messages that are new or changed, one Telling for every decision that concerns the channel.
The next room: a store, which writes all of it in the transaction that keeps the decisions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from coordwatch.alerts.alert import Alert
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.lifecycle import LIVE
from coordwatch.notify.channel import Channel
from coordwatch.notify.decide import Hold, NotifyReason
from coordwatch.notify.message import OVER, Message, gathering, joined, line_of, message_id, single
from coordwatch.notify.pace import Window, paced
from coordwatch.notify.route import Group, Step


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about one alert, as it stood then; `hold`, what holds it back, if anything does.

    `to` are the channels that a route names, None when each channel says itself what it takes; `steps` are for later,
    `step` is the one that this is, and `words` say more about the reason; `groups` by channel.
    """

    alert: Alert
    card: RuleCard
    reason: NotifyReason
    hold: Hold | None = None
    to: frozenset[str] | None = None
    steps: tuple[Step, ...] = ()
    step: str = ""
    words: str = ""
    groups: Mapping[str, Group] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """What people should know about the reason."""
        return self.words if self.hold is None else self.hold.words

    def goes_to(self, channel: Channel) -> bool:
        """Whether a channel is told."""
        return channel.match.takes(self.card) if self.to is None else channel.name in self.to


@dataclass(frozen=True, slots=True)
class Telling:
    """One line of the history of telling: why somebody is told of an alert, by which message, or why nobody is."""

    alert: str
    channel: str
    reason: NotifyReason
    message: str | None = None
    note: str = ""


@dataclass(slots=True)
class Plan:
    """What is to be written; `anew` are messages that must be posted again rather than edited. `due` as instants."""

    window: Window
    messages: dict[str, Message] = field(default_factory=dict)
    tellings: list[Telling] = field(default_factory=list)
    due: dict[str, int] = field(default_factory=dict)
    anew: set[str] = field(default_factory=set)


def plan(
    channel: Channel, window: Window, standing: Mapping[str, Message], decisions: Sequence[Decided], now: int
) -> Plan:
    """What a channel is told.

    Takes: `standing`, by alert the message about it on this channel, one about it alone first; by its id the open gathering
    Units: microseconds since 1970 UTC
    """
    done = Plan(window)
    for one in decisions:
        if one.reason.tells:
            if one.goes_to(channel):
                _tell(done, channel, standing, one, now)
        elif channel.changes and one.alert.id in standing and not one.reason.holds:
            # What is held back is open again and must not show: a receiver would call somebody.
            _change(done, standing[one.alert.id], one, now)
    return done


def _tell(done: Plan, channel: Channel, standing: Mapping[str, Message], one: Decided, now: int) -> None:
    alert = one.alert
    before = standing.get(alert.id)
    group = _group(done, channel, standing, one, now)
    if group is not None and group.begun is not None:
        _gather(done, channel, one, group)
        return
    done.window, fold = paced(done.window, channel.pace, now, alert.id)
    told_alone = before is not None and not before.many and channel.changes
    if before is not None and told_alone:
        # It was told before and is open again: under the same id, so that a receiver knows what it is about.
        _put(done, _moved(done.messages.get(before.id, before), one), now)
        if fold is None:
            done.anew.add(before.id)
            done.tellings.append(Telling(alert.id, channel.name, one.reason, before.id, one.words))
            return
    if fold is not None:
        key = message_id(channel.name, fold)
        begun = done.messages.get(key) or standing.get(key)
        _gather(done, channel, one, _Gathering(fold, done.window.until, now, begun))
    elif group is not None:
        _gather(done, channel, one, group)
    else:
        message = single(channel.name, alert, one.card)
        if before is not None:
            message = replace(message, id=message_id(channel.name, f"{alert.id}:{alert.version}"))
        _put(done, message, now)
        done.tellings.append(Telling(alert.id, channel.name, one.reason, message.id, one.words))


@dataclass(frozen=True, slots=True)
class _Gathering:
    """A message about many: what it is called, when it is due, and what it holds already, if it was begun."""

    subject: str
    due: int
    now: int
    begun: Message | None


def _group(done: Plan, channel: Channel, standing: Mapping[str, Message], one: Decided, now: int) -> _Gathering | None:
    """The gathering of those that are alike, for an alert that is told of for the first time here."""
    group = one.groups.get(channel.name)
    if group is None or one.alert.id in standing:
        return None
    subject, due = group.stretch(now)
    key = message_id(channel.name, subject)
    return _Gathering(subject, due, now, done.messages.get(key) or standing.get(key))


def _gather(done: Plan, channel: Channel, one: Decided, many: _Gathering) -> None:
    begun = many.begun or gathering(channel.name, many.subject, many.now)
    message = joined(begun, one.alert, one.card)
    _put(done, message, many.due)
    done.tellings.append(Telling(one.alert.id, channel.name, one.reason, message.id, one.words))


def _change(done: Plan, before: Message, one: Decided, now: int) -> None:
    message = done.messages.get(before.id, before)
    if not message.many and message.status == one.alert.status.value:
        done.tellings.append(Telling(one.alert.id, before.channel, one.reason))
        return
    if not message.many:
        _put(done, _moved(message, one), now)
    done.tellings.append(Telling(one.alert.id, before.channel, one.reason, before.id))


def _put(done: Plan, message: Message, due: int) -> None:
    done.messages[message.id] = message
    done.due[message.id] = due


def _moved(message: Message, one: Decided) -> Message:
    return replace(
        message,
        version=message.version + 1,
        status=one.alert.status.value,
        live=int(one.alert.status in LIVE),
        lines=(line_of(one.alert, one.card),),
    )


def recounted(message: Message, live: int) -> Message:
    """A message about many, of which so many are not over; it changes for its readers when the last one is, or opens again."""
    if (live == 0) == message.is_over:
        return replace(message, live=live)
    status = OVER if live == 0 else "open"
    return replace(message, live=live, status=status, version=message.version + 1)
