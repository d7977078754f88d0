"""Messages: what is said on one channel about one alert, or about many at once.

What enters: alerts and their cards.
What leaves: a Message with a derived id, as data, and the plain form that a store keeps.
The next room: `pace` and `plan`, which make them; `wording`, which puts them into words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from coordwatch.alerts.alert import Alert
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.lifecycle import LIVE
from coordwatch.alerts.words import time_words
from coordwatch.events.times import MINUTE

_NAMESPACE = UUID("5c7b1c1e-9a2f-5f0b-8d3b-0b1c8f5a6e17")
LINES_MAX = 20
SENTENCE_MAX = 600
OVER = "over"
CANARY = "canary:"


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of one alert; nothing that the alert itself does not show. Units: `at` in microseconds since 1970 UTC."""

    alert: str
    rule: str
    title: str
    severity: str
    status: str
    owner: str
    sentence: str
    act_tool: str
    evidence_tool: str
    at: int


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the alerts of a message are of one rule."""

    rule: str
    title: str
    severity: str
    count: int


@dataclass(frozen=True, slots=True)
class Message:
    """What is said on one channel about one subject: an alert, or many that came together.

    `version` grows with each change; `lines` are the first few alerts of `total`, `live` of which are not over yet.
    Units: `since` in microseconds since 1970 UTC
    """

    id: str
    channel: str
    subject: str
    version: int
    status: str
    since: int
    many: bool
    total: int
    live: int
    lines: tuple[Line, ...]
    shares: tuple[Share, ...]

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do about it."""
        return self.live == 0

    @property
    def severity(self) -> str:
        """The worst severity in it."""
        ranks = ("critical", "high", "medium", "low")
        return min((one.severity for one in self.shares), key=ranks.index, default="low")


def message_id(channel: str, subject: str) -> str:
    """The id of what a channel is told about a subject; derived, so that a repeat changes nothing."""
    return str(uuid5(_NAMESPACE, f"{channel}\x1e{subject}"))


def line_of(alert: Alert, card: RuleCard) -> Line:
    """What is said of an alert."""
    face = alert.face
    return Line(
        alert=alert.id,
        rule=alert.rule,
        title=card.title,
        severity=card.severity.value,
        status=alert.status.value,
        owner=card.owner,
        sentence=face.sentence[:SENTENCE_MAX],
        act_tool=face.act_tool,
        evidence_tool=face.evidence_tool,
        at=face.at,
    )


def single(channel: str, alert: Alert, card: RuleCard) -> Message:
    """The message about one alert, as it stands."""
    line = line_of(alert, card)
    return Message(
        id=message_id(channel, alert.id),
        channel=channel,
        subject=alert.id,
        version=1,
        status=alert.status.value,
        since=alert.raised_at,
        many=False,
        total=1,
        live=int(alert.status in LIVE),
        lines=(line,),
        shares=(Share(line.rule, line.title, line.severity, 1),),
    )


def gathering(channel: str, subject: str, now: int) -> Message:
    """A message about many alerts that holds none yet. Units: microseconds since 1970 UTC."""
    return Message(message_id(channel, subject), channel, subject, 1, "open", now, True, 0, 0, (), ())


def canary(channel: str, now: int) -> Message:
    """A message that says only that the whole way was open at this minute. Units: microseconds since 1970 UTC."""
    subject = f"{CANARY}{now // MINUTE}"
    said = f"coordwatch tells people at {time_words(now)}: this message only shows that the way is open."
    line = Line("", "canary", "Canary", "low", "open", "coordwatch", said, "coordwatch", "", now)
    share = Share("canary", "Canary", "low", 1)
    return Message(message_id(channel, subject), channel, subject, 1, "open", now, False, 1, 1, (line,), (share,))


def joined(message: Message, alert: Alert, card: RuleCard) -> Message:
    """A gathering with one alert more."""
    line = line_of(alert, card)
    shares = {one.rule: one for one in message.shares}
    had = shares.get(line.rule)
    shares[line.rule] = Share(line.rule, line.title, line.severity, (had.count if had else 0) + 1)
    lines = (*message.lines, line) if len(message.lines) < LINES_MAX else message.lines
    return replace(
        message,
        total=message.total + 1,
        live=message.live + int(alert.status in LIVE),
        lines=lines,
        shares=tuple(shares.values()),
    )


def without(message: Message, alert: str) -> Message:
    """A message that says nothing of an alert any more; how many it told of stays."""
    return replace(message, lines=tuple(one for one in message.lines if one.alert != alert))


def message_to_plain(message: Message) -> dict[str, Any]:
    """A message as plain data."""
    return asdict(message)


def message_from_plain(plain: Mapping[str, Any]) -> Message:
    """The message that `message_to_plain` wrote."""
    lines: Sequence[Mapping[str, Any]] = plain["lines"]
    shares: Sequence[Mapping[str, Any]] = plain["shares"]
    return Message(
        **{
            **plain,
            "lines": tuple(Line(**one) for one in lines),
            "shares": tuple(Share(**one) for one in shares),
        }
    )
