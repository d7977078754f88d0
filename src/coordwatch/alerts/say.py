"""The sentence an alert shows, and what else a list says of a detection at a glance.

What enters: a RuleCard and a Detection.
What leaves: a Face: the filled sentence, both tools, the gap and the likely cause.
The next room: `fold`, which keeps the face of the newest standing detection on the alert.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.words import attribution_words, time_words
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import parse_time
from coordwatch.events.words import duration_words, number_words
from coordwatch.rules.detection import Attribution, Detection, Evidence

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\}")
_CAUSES = ("campaign", "journey", "carrier", "item")
_SHOWN = 3
_VALUE_MAX = 120


@dataclass(frozen=True, slots=True)
class Face:
    """What a list shows of an alert. Units: `at` in microseconds since 1970 UTC, `gap` and `known_for` in microseconds."""

    customer: str
    sentence: str
    act_tool: str
    evidence_tool: str
    attribution: Attribution
    known_for: int | None
    gap: int | None
    at: int
    campaign: str | None
    incident: str


def face_of(card: RuleCard, detection: Detection) -> Face:
    """What a list shows of a detection."""
    main = main_evidence(card, detection)
    return Face(
        customer=detection.customer,
        sentence=sentence(card, detection),
        act_tool=detection.act.tool or "",
        evidence_tool=(main.tool or "") if main else "",
        attribution=detection.attribution,
        known_for=detection.known_for,
        gap=gap_of(card, detection),
        at=detection.at,
        campaign=_first(detection.act.data.get("campaign")),
        incident=incident_key(card, detection),
    )


def sentence(card: RuleCard, detection: Detection) -> str:
    """The rule's `say` with its places filled in; a rule without one says its title, the act's tool and the gap."""
    if card.say is None:
        return _plain_sentence(card, detection)
    return filled(card, detection, card.say)


def filled(card: RuleCard, detection: Detection, text: str) -> str:
    """A text of the rule with its places filled in, such as its runbook."""
    return _PLACEHOLDER.sub(lambda found: _filled(card, detection, found.group(1)), text)


def main_evidence(card: RuleCard, detection: Detection) -> Evidence | None:
    """The evidence that the act collided with: the newest event under the first step that names one.

    The expected event of a detection that was made good is not it.
    """
    standing = [evidence for evidence in detection.evidence if evidence.step != card.expects]
    if not standing:
        return None
    return max(_under(standing, standing[0].step), key=lambda evidence: (evidence.time, evidence.source, evidence.id))


def gap_of(card: RuleCard, detection: Detection) -> int | None:
    """How far the act and its main evidence lie apart; without evidence, how long the expected event was waited for.

    Units: microseconds
    """
    main = main_evidence(card, detection)
    if main is not None:
        return abs(detection.act.time - main.time)
    return detection.at - detection.act.time if card.expects else None


def incident_key(card: RuleCard, detection: Detection) -> str:
    """What alerts with one likely cause share: the rule and a campaign, journey, carrier or item, else the two tools."""
    for cause in _CAUSES:
        for evidence in (detection.act, *detection.evidence):
            value = _first(evidence.data.get(cause))
            if value is not None:
                return f"{card.id}|{cause}|{value}"
    main = main_evidence(card, detection)
    return f"{card.id}|tools|{detection.act.tool or ''}|{(main.tool if main else None) or ''}"


def fold_values(card: RuleCard, detection: Detection) -> tuple[str, ...]:
    """The values of the `once_per` keys; each is looked up in the steps in file order (RULES 29)."""
    return tuple(_fold_value(card, detection, key) for key in card.once_per)


def _fold_value(card: RuleCard, detection: Detection, key: str) -> str:
    if key == "customer":
        return detection.customer
    for evidence in _in_file_order(card, detection):
        value = evidence.tool if key == "tool" else _look(evidence.data, key.split("."))
        if value is not None:
            values = value if isinstance(value, (list, tuple)) else [value]
            return "\x1f".join(sorted(str(one) for one in values))
    return ""


def _in_file_order(card: RuleCard, detection: Detection) -> Iterable[Evidence]:
    order = {name: index for index, name in enumerate(card.steps)}
    return [detection.act, *sorted(detection.evidence, key=lambda evidence: order.get(evidence.step, len(order)))]


def _under(evidence: Iterable[Evidence], step: str) -> list[Evidence]:
    return [one for one in evidence if one.step == step]


def _plain_sentence(card: RuleCard, detection: Detection) -> str:
    gap = gap_of(card, detection)
    words = f"{detection.act.tool or 'An unknown tool'}: {card.title[:1].lower()}{card.title[1:]}"
    return f"{words} (after {duration_words(gap)})." if gap else f"{words}."


def _filled(card: RuleCard, detection: Detection, name: str) -> str:
    step, _, rest = name.partition(".")
    if step == detection.act.step and rest:
        return _field_words([detection.act], rest)
    if step in card.steps and rest:
        return _field_words(_under(detection.evidence, step), rest)
    return _own_words(card, detection, name)


def _own_words(card: RuleCard, detection: Detection, name: str) -> str:
    gap = gap_of(card, detection)
    words = {
        "customer": detection.customer,
        "gap": duration_words(gap) if gap is not None else "some time",
        "deadline": time_words(detection.at),
        "at": time_words(detection.at),
        "attribution": attribution_words(detection.attribution, detection.known_for) or "no one to tell",
        "late": _late_words(card, detection),
    }
    return words.get(name, "{" + name + "}")


def _late_words(card: RuleCard, detection: Detection) -> str:
    late = [one for one in detection.evidence if one.step == card.expects]
    return duration_words(late[0].time - detection.at) if late else "not yet"


def _field_words(events: list[Evidence], path: str) -> str:
    if path == "count":
        return number_words(len(events))
    if not events:
        return f"an unknown {path.rsplit('.', 1)[-1].replace('_', ' ')}"
    newest = max(events, key=lambda one: (one.time, one.source, one.id))
    if path in ("tool", "tool.name"):
        return newest.tool or "an unknown tool"
    if path in ("time", "observed_at"):
        return time_words(newest.time if path == "time" else newest.observed_at)
    if path in ("id", "source", "type"):
        return str(getattr(newest, path))
    value = _look(newest.data, path.split("."))
    if value is None:
        return f"an unknown {path.rsplit('.', 1)[-1].replace('_', ' ')}"
    return _value_words(value, newest.type, path)


def _value_words(value: Any, event_type: str, path: str) -> str:
    if isinstance(value, (list, tuple)):
        shown = ", ".join(_value_words(one, event_type, path) for one in value[:_SHOWN])
        return f"{shown} and {number_words(len(value) - _SHOWN)} more" if len(value) > _SHOWN else shown
    known = TYPES.get(event_type)
    field = known.fields.get(path) if known else None
    if field is not None and field.kind == "timestamp":
        return _instant_words(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    # Words of a closed list, and the name of a detail (`order_id`), are read by people, not by programs.
    if field is not None and (field.values or path == "field"):
        text = text.replace("_", " ")
    return text if len(text) <= _VALUE_MAX else f"{text[: _VALUE_MAX - 1]}…"


def _instant_words(value: Any) -> str:
    if isinstance(value, int):
        return time_words(value)
    try:
        return time_words(parse_time(str(value)))
    except ValueError:
        return str(value)[:_VALUE_MAX]


def _look(data: Mapping[str, Any], path: list[str]) -> Any:
    value: Any = data
    for name in path:
        if isinstance(value, (list, tuple)):
            found = [one[name] for one in value if isinstance(one, Mapping) and one.get(name) is not None]
            value = found or None
        elif isinstance(value, Mapping):
            value = value.get(name)
        else:
            return None
    return value


def _first(value: Any) -> str | None:
    if isinstance(value, (list, tuple)):
        value = value[0] if value else None
    return str(value) if value not in (None, "") else None
