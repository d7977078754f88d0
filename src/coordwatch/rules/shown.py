"""What alerts show: the fields of an event that are kept for people, beside those that rules judge by.

A sentence template enters; the paths it asks for leave, for `rules/compile.py`.
"""

from coordwatch.events.vocabulary import REFS

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
