"""Write the schemas that ship, and the page about events, from the models they are made of, or check that they agree.

`python -m tests.schemas` writes; with `--check` it names each file that has drifted and gives 1.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from coordwatch.events.schemas import event_schemas
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import ATTRIBUTES, COMMON, REFS, EventType, Field
from coordwatch.rules.rule_schema import rule_schema

_KINDS = {
    "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "timestamp": "a time",
    "strings": "one text or several", "object": "an object", "objects": "a list of objects", "any": "anything",
}  # fmt: skip
SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"


def generated() -> dict[Path, str]:
    """Give every generated file with the text it must have."""
    events = {SCHEMAS / "events" / f"{name}.json": _text(schema) for name, schema in event_schemas().items()}
    page = SCHEMAS.parent / "docs" / "events.md"
    return {**events, SCHEMAS / "rule.schema.json": _text(rule_schema()), page: events_page()}


def drifted(expected: Mapping[Path, str]) -> list[Path]:
    """Give each file that is missing, has other content, or belongs to nothing any more."""
    there = set((SCHEMAS / "events").glob("*.json"))
    changed = {path for path, text in expected.items() if not path.is_file() or path.read_text("utf-8") != text}
    return sorted(changed | (there - set(expected)))


def events_page() -> str:
    """Give `docs/events.md`: every type of event with the fields that a rule may name."""
    common = {name: field for name, field in COMMON.items() if name not in REFS}
    return "\n".join(
        [
            "# Types of events, and their fields",
            "",
            "What a rule may name in `event:` and `where:` ([writing-rules.md](writing-rules.md)), and what a mapping makes of a tool's",
            "payloads ([sources](sources/README.md)). Fields in **bold** are always there; any other may be missing, and a condition on a",
            "missing field never holds. `schemas/events/` says the same for programs. This page is written by `make schemas`.",
            "",
            "## What every event may carry",
            "",
            f"Of the event itself: {_listed(ATTRIBUTES)}.",
            "",
            f"Refs, which tie events to one another (`same: [case]`; each may hold several): {_listed(REFS)}.",
            "",
            *(_row(name, field) for name, field in common.items()),
            "",
            "## The types",
            "",
            *(line for name in sorted(TYPES) for line in _section(TYPES[name])),
        ]
    )


def _section(event: EventType) -> list[str]:
    own = {name: field for name, field in event.fields.items() if name not in COMMON or name in event.required}
    broadcast = " It belongs to no customer: only `given` reads it." if event.broadcast else ""
    rows = [_row(name, field, required=name in event.required) for name, field in own.items()]
    return [f"### {event.name}", "", event.summary + broadcast, "", *(rows or ["No field of its own."]), ""]


def _row(name: str, field: Field, *, required: bool = False) -> str:
    inside = f" with {_listed(field.fields)}" if field.fields else ""
    values = f": {_listed(field.values)}" if field.values else ""
    shown = f"**`{name}`**" if required else f"`{name}`"
    return f"- {shown} {_KINDS[field.kind]}{inside}{values}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def main() -> int:
    """Write, or check."""
    expected = generated()
    stale = drifted(expected)
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(SCHEMAS.parent)} is not what the models say: run `make schemas`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        if path in expected:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(expected[path], "utf-8")
        else:
            path.unlink()
    print(f"{len(expected)} schemas and pages, {len(stale)} written anew or removed")
    return 0


def _text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
