"""Acts: something that a tool may do, before it does it, as the event that it would publish.

A type and fields as somebody wrote them enter; the data of an event leaves, or what is wrong with them. The next room:
`checking` and the stage `detect`, which ask the rules about it.
"""

from collections.abc import Mapping
from typing import Any

from coordwatch.documents import did_you_mean
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import PREFIX, REFS
from coordwatch.sources.canonical import checked_data
from coordwatch.sources.record import RefusedError


class BadAct(ValueError):
    """What stands in `field` is no part of such an act; the message says what to write."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def act_data(written: str, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Give the type and the data of an act, checked.

    An unknown field is refused, and so is a missing one that the type requires: rules that ask for it would let everything
    pass. Ids that the act does not have yet may be left out.

    Raises: BadAct
    """
    name = written.removeprefix(PREFIX)
    if name not in TYPES:
        hint = did_you_mean(name, list(TYPES)) or "docs/events.md lists them"
        raise BadAct("type", f"no event type is called '{name[:80]}'; {hint}")
    for field in fields:
        if field not in TYPES[name].fields:
            hint = did_you_mean(field, list(TYPES[name].fields)) or "docs/events.md lists its fields"
            raise BadAct(f"data.{field[:80]}", f"{name} has no field '{field[:80]}'; {hint}")
    try:
        data = checked_data(name, fields)
    except RefusedError as error:
        raise BadAct(error.path or "data", error.detail) from None
    for field in TYPES[name].required:
        if field not in data and field not in REFS and field != "identifiers":
            raise BadAct(
                f"data.{field}", f"say the '{field}' of it: rules that ask for it would else let everything pass"
            )
    return name, data
