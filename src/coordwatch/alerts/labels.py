"""The labels of an alert: the names that matchers know, each with its values.

What enters: an alert and its rule's card.
What leaves: by label its values; of most labels one, of `tool` both sides, of `tag` every tag.
The next room: `matchers`, which hold of them or not.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from coordwatch.alerts.alert import Alert
from coordwatch.alerts.card import RuleCard

Labels = Mapping[str, tuple[str, ...]]
# What each label says, for documents and for whoever misspells one. `alertname` is Alertmanager's name of the rule.
LABELS: Mapping[str, str] = MappingProxyType(
    {
        "alertname": "the rule, as Alertmanager calls it",
        "rule": "the rule",
        "severity": "critical, high, medium or low",
        "owner": "the owner of the rule",
        "tag": "any tag of the rule",
        "industry": "those of its tags that name an industry, such as retail or bank",
        "customer": "the customer's key",
        "tool": "either tool",
        "act_tool": "the tool that acted",
        "evidence_tool": "the tool it collided with",
        "campaign": "the campaign of the act",
        "attribution": "could_not_know, in_flight, ignored or not_applicable",
    }
)


INDUSTRIES = frozenset(
    {
        "retail", "bank", "telco", "insurance", "utility", "airline", "travel", "hotel", "rail", "food", "health", "pharma",
        "media", "software", "services", "automotive", "public",
    }
)  # fmt: skip


def industries_in(tags: Iterable[str]) -> tuple[str, ...]:
    """Those of some tags that name an industry."""
    return tuple(one for one in tags if one in INDUSTRIES)


def labels_of(alert: Alert, card: RuleCard) -> Labels:
    """The labels of an alert."""
    face = alert.face
    return {
        "alertname": (alert.rule,),
        "rule": (alert.rule,),
        "severity": (card.severity.value,),
        "owner": (card.owner,),
        "tag": tuple(card.tags),
        "industry": industries_in(card.tags),
        "customer": (face.customer,),
        "tool": tuple(dict.fromkeys(one for one in (face.act_tool, face.evidence_tool) if one)),
        "act_tool": (face.act_tool,),
        "evidence_tool": (face.evidence_tool,),
        "campaign": (face.campaign or "",),
        "attribution": (face.attribution.value,),
    }
