"""What alerts show: the fields of an event that are kept for people, beside those that rules judge by.

A sentence template enters; the paths it asks for leave, for `rules/compile.py`.
"""

from collections.abc import Mapping

from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import REFS
from coordwatch.rules.layout import Layouts
from coordwatch.rules.spec import RuleSpec

SUBJECT = "subject"


SHOWN = (
    "tool",
    "channel",
    "kind",
    "status",
    "purpose",
    "due_at",
    "eta",
    "owner_team",
    "identity_confidence",
    "time_basis",
    "identifiers",
    "previous_contact",
    *REFS,
)


def placeholders(say: str, name: str) -> set[tuple[str, ...]]:
    """The field paths that a sentence template asks of one step: `{promo.campaign}` gives ("campaign",)."""
    paths = set()
    for piece in say.split("{")[1:]:
        words = piece.split("}", 1)[0].split(".")
        if words[0] == name and len(words) > 1:
            paths.add(tuple(words[1:]))
    return paths


def show(spec: RuleSpec, types: Mapping[str, set[str]], layouts: Layouts) -> None:
    """Have the layouts keep what alerts show: tool, actor, refs, and the fields that `say` and `once_per` name.

    Takes: `types`, the event types of each step
    """
    words = {*SHOWN, *spec.alert.once_per}
    for name, event_types in types.items():
        asked = words | {path[0] for path in placeholders(spec.alert.say or "", name)}
        for event_type in event_types:
            known = TYPES[event_type].fields
            layouts.of(event_type).shown.update(dict.fromkeys((SUBJECT, *sorted(asked & known.keys()))))
