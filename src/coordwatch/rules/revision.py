"""Revisions: a rule in, a short name of what it means out; text, owner, severity and tests do not change it (RULES 36).

`rules/compile.py` puts it on every compiled rule, and states remember it.
"""

import hashlib

from coordwatch.rules.layout import shape
from coordwatch.rules.spec import RuleSpec


def revision_of(spec: RuleSpec) -> str:
    """The revision of a rule: a digest of its matching parts only (RULES 36)."""
    parts = (spec.id, spec.when, spec.after, spec.while_, spec.given, spec.unless, spec.expect, spec.exceptions)
    meaning = repr(shape(parts))
    calendars = [
        (name, hours.zone, sorted(hours.weekly.items()), sorted(hours.holidays))
        for name, hours in sorted((spec.shared.calendars if spec.shared else {}).items())
        if repr(name) in meaning
    ]
    return hashlib.sha256(repr((meaning, calendars)).encode()).hexdigest()[:12]
