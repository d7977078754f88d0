"""What alerts need of a rule: a card, cut from its specification.

What enters: a RuleSpec.
What leaves: a RuleCard with the words and the folding of its alerts.
The next room: `fold`, which files detections by it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from coordwatch.rules.outline import all_steps, matches_of
from coordwatch.rules.spec import DAY, RuleSpec, RuleStatus, Severity


@dataclass(frozen=True, slots=True)
class RuleCard:
    """The words of a rule and how its detections fold. Units: `quiet` in microseconds.

    `steps` are the names of its steps in file order, the act first. `cancelling` are the event types that its `unless`
    steps wait for; `expects` is the step whose absence is the violation.
    """

    id: str
    title: str
    severity: Severity
    owner: str
    status: RuleStatus = RuleStatus.LIVE
    once_per: tuple[str, ...] = ("customer",)
    quiet: int = DAY
    say: str | None = None
    steps: tuple[str, ...] = ()
    expects: str | None = None
    cancelling: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    runbook: str = ""
    reads: frozenset[str] = frozenset()

    @property
    def raises_alerts(self) -> bool:
        """Whether people see its detections; a draft or a shadow rule is only counted."""
        return self.status is RuleStatus.LIVE


def card_of(spec: RuleSpec) -> RuleCard:
    """The card of a rule."""
    steps = all_steps(spec)
    cancelling: set[str] = set()
    for step in spec.unless:
        cancelling.update(part.event for part in matches_of(step))
    return RuleCard(
        id=spec.id,
        title=spec.title,
        severity=spec.severity,
        owner=spec.owner,
        status=spec.status,
        once_per=spec.alert.once_per,
        quiet=spec.alert.quiet,
        say=spec.alert.say,
        steps=tuple(step.name for step in steps),
        expects=spec.expect.name if spec.expect else None,
        cancelling=tuple(sorted(cancelling)),
        tags=tuple(spec.tags),
        runbook=spec.runbook,
        reads=frozenset(part.event for step in steps for part in matches_of(step)),
    )


def cards_of(specs: Iterable[RuleSpec]) -> Mapping[str, RuleCard]:
    """The cards of many rules, by id."""
    return {spec.id: card_of(spec) for spec in specs}


def unknown_card(rule: str) -> RuleCard:
    """The card of a rule that is no longer there: its detections are kept and raise nothing."""
    return RuleCard(rule, rule, Severity.LOW, "", RuleStatus.RETIRED)
