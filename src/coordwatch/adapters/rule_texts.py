"""The YAML of each rule, as its file has it, for the page of the rule.

What enters: rules that know their place.
What leaves: texts by rule id.
The next room: `pages`.
"""

from collections.abc import Iterable
from pathlib import Path

from coordwatch.rules.spec import RuleSpec

_BETWEEN = "---"


def rule_texts(specs: Iterable[RuleSpec]) -> dict[str, str]:
    """The YAML of each rule by its id; a file that is gone gives nothing."""
    texts: dict[str, str] = {}
    for spec in specs:
        try:
            lines = Path(spec.place.path).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        before = lines[: spec.place.line]
        first = next((n for n in range(len(before), 0, -1) if before[n - 1].startswith(_BETWEEN)), 0)
        last = next((n for n in range(len(before), len(lines)) if lines[n].startswith(_BETWEEN)), len(lines))
        texts[spec.id] = "\n".join(lines[first:last]).strip() + "\n"
    return texts
