"""Write the schemas that ship from the models they are made of, or check that they agree.

`python -m tests.schemas` writes; with `--check` it names each file that has drifted and gives 1.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coordwatch.events.schemas import event_schemas
from coordwatch.rules.rule_schema import rule_schema

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"


def generated() -> dict[Path, str]:
    """Give every generated file with the text it must have."""
    events = {SCHEMAS / "events" / f"{name}.json": _text(schema) for name, schema in event_schemas().items()}
    return {**events, SCHEMAS / "rule.schema.json": _text(rule_schema())}


def drifted(expected: Mapping[Path, str]) -> list[Path]:
    """Give each file that is missing, has other content, or belongs to nothing any more."""
    there = set((SCHEMAS / "events").glob("*.json"))
    changed = {path for path, text in expected.items() if not path.is_file() or path.read_text("utf-8") != text}
    return sorted(changed | (there - set(expected)))


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
    print(f"{len(expected)} schemas, {len(stale)} written anew or removed")
    return 0


def _text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
