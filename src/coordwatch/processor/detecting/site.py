"""Site: what all partitions of a process share: the plan, the facts, and what the site decided.

Rules and settings enter once; every `partition` works with what leaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coordwatch.context.progress import Progress
from coordwatch.engine.lines import Times
from coordwatch.engine.retention import derive
from coordwatch.events.times import DAY
from coordwatch.identity.hops.routing import Router
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.processor.detecting.facts import Facts
from coordwatch.processor.detecting.reaches import Watched
from coordwatch.processor.detecting.suppressing import Suppressing, Suppression
from coordwatch.processor.feeding import cannot_be_fed, waited_for
from coordwatch.processor.topics import Topics
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.spec import RuleSpec


@dataclass(frozen=True, slots=True)
class DetectSettings:
    """What a site decides about detection.

    `cap` bounds the facts of a type in one customer's journal, `size_max` the bytes of one customer, `due_max` the customers
    judged at one tick. `suppressions` are the kinds of acts that tools want to be told of; of `again_max` customers of a
    partition they are told anew with one commit, besides those who changed. Units: `lateness` in microseconds
    """

    topics: Topics = field(default_factory=Topics)
    identity: IdentityPolicy = field(default_factory=IdentityPolicy)
    lateness: int = 7 * DAY
    cap: int = 200
    size_max: int = 256 * 1024
    due_max: int = 2_000
    again_max: int = 250
    suppressions: tuple[Suppression, ...] = ()


class Site:
    """What every partition works with; `disabled` says of rules that no input can feed why.

    `groups` gives, by the id of a rule with `expect`, the group of rules that wait for the same types; `waits` those types.
    """

    def __init__(self, specs: Sequence[RuleSpec], settings: DetectSettings, watched: Sequence[Watched]) -> None:
        self.settings, self.watched = settings, tuple(watched)
        carried = Progress(one.source for one in watched).carried()
        self.disabled = {spec.id: why for spec in specs if (why := cannot_be_fed(spec, carried)) is not None}
        self.plan = compile_rules([spec for spec in specs if spec.id not in self.disabled], display=True)
        self.retention = derive(self.plan, cap=settings.cap, lateness=settings.lateness)
        self.router = Router(settings.identity)
        self.facts = Facts(self.plan, self.retention)
        self.times = Times()
        self.suppressing = Suppressing(settings.suppressions, self.plan)
        waits: dict[frozenset[str], int] = {}
        groups: dict[str, int] = {}
        for rule in self.plan.rules:
            if rule.expect is not None:
                groups[rule.id] = waits.setdefault(frozenset(waited_for(rule.spec)), len(waits))
        self.groups: Mapping[str, int] = groups
        self.waits = tuple(waits)
