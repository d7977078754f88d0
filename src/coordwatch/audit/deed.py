"""Deeds: one thing that was done, by whom and to what, in words that name no customer.

What enters: an instant, an actor, a kind, what it was done to, a few short facts.
What leaves: a Deed that holds no more than that.
The next room: `chain`, which seals it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Fact = str | int | bool | None
ACTOR_MAX, SUBJECT_MAX, FACT_MAX = 120, 200, 200
WITHHELD = "(withheld)"
# A key that we made for a customer, or the digest of an identifier: forgetting would find it, and could not take it out.
_LEADS_BACK = re.compile(r"cust_[0-9a-f]{32}|[A-Za-z0-9]{1,16}:[0-9a-f]{32}")


class DeedKind(StrEnum):
    """Everything that is written down; the part before the dot is the noun it was done to."""

    ALERT_RAISE = "alert.raise"
    ALERT_REPEAT = "alert.repeat"
    ALERT_RETRACT = "alert.retract"
    ALERT_MADE_GOOD = "alert.made_good"
    ALERT_CONDITION_MET = "alert.condition_met"
    ALERT_WAKE = "alert.wake"
    ALERT_ACKNOWLEDGE = "alert.acknowledge"
    ALERT_SNOOZE = "alert.snooze"
    ALERT_RESOLVE = "alert.resolve"
    ALERT_VERDICT = "alert.verdict"
    ALERT_REOPEN = "alert.reopen"
    ALERT_JUDGE = "alert.judge"
    ALERT_UNDO = "alert.undo"
    ALERT_ESCALATE = "alert.escalate"
    INCIDENT_ACKNOWLEDGE = "incident.acknowledge"
    INCIDENT_RESOLVE = "incident.resolve"
    INCIDENT_EXPORT = "incident.export"
    INCIDENT_CHANGE = "incident.change"
    SILENCE_MAKE = "silence.make"
    SILENCE_CHANGE = "silence.change"
    SILENCE_END = "silence.end"
    VIEW_SAVE = "view.save"
    VIEW_REMOVE = "view.remove"
    SETTINGS_LOAD = "settings.load"
    RULES_LOAD = "rules.load"
    SESSION_BEGIN = "session.begin"
    SESSION_REFUSE = "session.refuse"
    SESSION_END = "session.end"
    ACCOUNT_MAKE = "account.make"
    ACCOUNT_CHANGE = "account.change"
    TOKEN_MAKE = "token.make"  # noqa: S105 - the name of a deed
    TOKEN_REVOKE = "token.revoke"  # noqa: S105 - the name of a deed
    PERSON_UNMASK = "person.unmask"
    PERSON_EXPORT = "person.export"
    PERSON_FORGET = "person.forget"
    PERSON_LIFT = "person.lift"
    PERSON_SPLIT = "person.split"
    LETTER_REPLAY = "letter.replay"
    LETTER_SHOW = "letter.show"
    CHANNEL_RETRY = "channel.retry"
    AUDIT_EXPORT = "audit.export"
    AUDIT_PRUNE = "audit.prune"


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that was done. `subject` is the id of what it was done to, `facts` what is short and names nobody.

    An alert is named by its id, a customer by a `pseudonym`. A key or a digest that leads back to a person is withheld, since
    nothing can be taken out of the trail. Units: `at` in microseconds since 1970 UTC
    """

    at: int
    actor: str
    kind: DeedKind
    subject: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "actor", _kept(self.actor, ACTOR_MAX))
        object.__setattr__(self, "subject", _kept(self.subject, SUBJECT_MAX))
        facts = {
            name: _kept(value, FACT_MAX) if isinstance(value, str) else value for name, value in self.facts.items()
        }
        object.__setattr__(self, "facts", facts)

    @property
    def noun(self) -> str:
        """What kind of thing it was done to."""
        return self.kind.value.partition(".")[0]


def _kept(text: str, most: int) -> str:
    return _LEADS_BACK.sub(WITHHELD, plain_text(text))[:most]


def plain_text(text: str) -> str:
    """Text that every database and JSON can hold: a lone surrogate becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")
