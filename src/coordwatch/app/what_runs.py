"""What runs: which settings and which rules a process begins with, written down where it is not what ran before.

What enters: settings, rules, the audit trail. What leaves: deeds, none for what is as it was.
The next rooms: `one_process` and `worker_side`, which begin with it.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256

from coordwatch import __version__
from coordwatch.alerts.alert import ENGINE
from coordwatch.audit.deed import Deed, DeedKind, Fact
from coordwatch.audit.trail import Asked, Trail
from coordwatch.codec import decode_json
from coordwatch.rules.revision import revision_of
from coordwatch.rules.spec import RuleSpec
from coordwatch.settings import Settings

_RULES_MOST = 10_000
GONE = "gone"


def note_what_runs(settings: Settings, rules: Iterable[RuleSpec], trail: Trail, now: int) -> None:
    """Write down settings and rules that changed since a process last began. Units: microseconds since 1970 UTC."""
    deeds = [*_settings(settings, trail, now), *_rules(rules, trail, now)]
    if deeds:
        trail.add(deeds)


def _settings(settings: Settings, trail: Trail, now: int) -> Iterator[Deed]:
    """Secrets are stars in what is hashed, so that a digest tells nothing of them."""
    text = settings.model_dump_json(exclude={"database"}) + str(settings.database)
    facts: dict[str, Fact] = {"digest": sha256(text.encode()).hexdigest()[:16], "program": __version__}
    last = trail.page(Asked(kind=DeedKind.SETTINGS_LOAD.value), 1)
    if not last or decode_json(last[0].facts) != facts:
        yield Deed(now, ENGINE, DeedKind.SETTINGS_LOAD, "", facts)


def _rules(rules: Iterable[RuleSpec], trail: Trail, now: int) -> Iterator[Deed]:
    known: dict[str, dict[str, Fact]] = {}
    for link in trail.page(Asked(kind=DeedKind.RULES_LOAD.value), _RULES_MOST):
        known.setdefault(link.subject, decode_json(link.facts))
    for rule in rules:
        facts: dict[str, Fact] = {
            "revision": revision_of(rule),
            "status": rule.status.value,
            "severity": rule.severity.value,
            "owner": rule.owner,
        }
        if known.pop(rule.id, None) != facts:
            yield Deed(now, ENGINE, DeedKind.RULES_LOAD, rule.id, facts)
    for rule_id, facts in known.items():
        if facts.get("status") != GONE:
            yield Deed(now, ENGINE, DeedKind.RULES_LOAD, rule_id, {"status": GONE})
