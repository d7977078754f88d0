"""The history of telling as JSON shows it.

What enters: TellingViews.
What leaves: pydantic models.
The next room: `shapes`, which puts them into an alert.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from coordwatch.alerts.waking import Condition, WakeWhen
from coordwatch.events.times import to_datetime
from coordwatch.notify.outbox import TellingView


class TellingItem(BaseModel):
    """One decision about telling: which channel was told and when, or why nobody was.

    With the state `step` it is to come: `channel` is told `at` that instant, unless somebody looks before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: datetime
    channel: str
    reason: str
    state: str
    delivered_at: datetime | None
    attempts: int
    answer: str
    note: str


class ConditionItem(BaseModel):
    """Something that a snooze can wait for: `when` and `about` are what an order says, `words` what has come true then."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: WakeWhen
    about: str
    words: str


def condition_item(one: Condition) -> ConditionItem:
    """A condition as JSON shows it."""
    return ConditionItem(when=one.when, about=one.about, words=one.words)


def telling_item(one: TellingView) -> TellingItem:
    """One line of the history."""
    return TellingItem(
        at=to_datetime(one.at),
        channel=one.channel,
        reason=one.reason,
        state=one.state,
        delivered_at=None if one.delivered_at is None else to_datetime(one.delivered_at),
        attempts=one.attempts,
        answer=one.answer,
        note=one.note,
    )
