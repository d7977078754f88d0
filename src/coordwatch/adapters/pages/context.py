"""What the pages read, and where people act through them.

What enters: readers, desks and facts about the site, put together by `app`.
What leaves: one PagesContext.
The next room: `router` and the modules beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from coordwatch.audit.trail import Trail
from coordwatch.clock import Clock
from coordwatch.ports import (
    AlertDesk,
    AlertReader,
    CustomerView,
    DeadLetter,
    ExplainStep,
    IncidentDesk,
    SettingView,
    Shelf,
    SilenceDesk,
    SourceView,
    ToolView,
)
from coordwatch.rules.spec import RuleSpec


def no_tools() -> Sequence[ToolView]:
    """Nothing is known of the tools but what their events say."""
    return ()


@dataclass(frozen=True, slots=True)
class PagesContext:
    """What the pages read, and the desk through which a person acts.

    `sentences` and `rule_texts` are by rule id: the rule in English, and its YAML. `explain` takes a rule, a customer and
    an act as (source, id); it may give nothing, then the pages explain from the detection. `customer` may say that it is
    Elsewhere; `at_hand` never does and never waits. `clock` runs on the same axis as the alerts' instants: in a demo that
    is the simulated time. `tools` are those that the mappings and the catalogue know. `replay` sends dead
    letters round again for somebody, and says in a sentence what came of it.
    """

    reader: AlertReader
    desk: AlertDesk
    shelf: Shelf
    rules: Mapping[str, RuleSpec]
    sentences: Mapping[str, str]
    rule_texts: Mapping[str, str]
    customer: Callable[[str], CustomerView | None]
    explain: Callable[[str, str, tuple[str, str]], Sequence[ExplainStep]]
    sources: Callable[[], Sequence[SourceView]]
    clock: Clock
    at_hand: Callable[[str], CustomerView | None] | None = None
    tools: Callable[[], Sequence[ToolView]] = no_tools
    silences: SilenceDesk | None = None
    incidents: IncidentDesk | None = None
    trail: Trail | None = None
    replay: Callable[[Sequence[DeadLetter], str], str] | None = None
    settings: Sequence[SettingView] = ()

    def known_here(self, key: str) -> CustomerView | None:
        """A customer whom this process keeps; one whom another keeps is not asked for."""
        return (self.at_hand or self.customer)(key)

    def sentence(self, spec: RuleSpec) -> str:
        """A rule in plain English."""
        return self.sentences.get(spec.id, spec.why)
