"""Explain tells the story of the verdict: for every act of an invented week, and whether or not everything is proven."""

from collections import defaultdict

from coordwatch.adapters.files import load_rules
from coordwatch.context.fact import TIME, Fact
from coordwatch.context.journal import once_each
from coordwatch.context.reference import Reference
from coordwatch.engine.state import fact_of
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.evaluate import judge
from coordwatch.rules.explain import explain
from coordwatch.rules.search import View
from coordwatch.simulator.config import SimulationConfig
from coordwatch.simulator.run import simulate


def test_explain_agrees_with_the_verdict_on_every_act() -> None:
    plan = compile_rules(load_rules().specs, display=True)
    journals: dict[str, list[Fact]] = defaultdict(list)
    broadcasts: list[Fact] = []
    events = [event for record in simulate(SimulationConfig(customers=40, days=3, seed=4)) for event in record.events]
    for event in events:
        fact = fact_of(event, plan)
        if fact is not None and event.type in plan.broadcast:
            broadcasts.append(fact)
        if fact is not None and event.subject is not None:
            journals[event.subject].append(fact)
    reference, end, asked = Reference(once_each(broadcasts)[0]), max(event.time for event in events), 0
    for customer, facts in journals.items():
        view = View(once_each(facts)[0], customer, reference)
        for rule in plan.rules:
            assert explain(rule, view, None, end).outcome == "no_act"
            for act in view.of(rule.act.bits):
                for proven in (end, act[TIME]):
                    verdict = judge(rule, view, act, proven)
                    found = explain(rule, view, act, proven)
                    assert found.outcome == ("none" if verdict is None else verdict.outcome.value)
                    if found.outcome == "open":
                        assert all(
                            step.held for step in found.steps if step.kind in ("when", "after", "while", "given")
                        )
                    asked += 1
    assert asked > 500
