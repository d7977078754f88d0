"""`coordwatch explain`: why a rule fired for a customer's act, or why it did not, step by step.

Events, a rule's id and a customer enter; the explanation leaves as text or JSON. The walk itself is `rules/explain.py`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coordwatch.adapters.event_files import parts_of, pieces, temporary_folder
from coordwatch.adapters.files import load_rules
from coordwatch.codec import encode_json
from coordwatch.context.journal import once_each
from coordwatch.context.reference import Reference
from coordwatch.documents import did_you_mean
from coordwatch.engine.state import fact_of
from coordwatch.engine.views import choose_act
from coordwatch.errors import CoordwatchError
from coordwatch.events.event import Event
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import parse_time
from coordwatch.events.wire import Rejected, decode_event
from coordwatch.identity.identity import resolve_all
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.explain import explain
from coordwatch.rules.explanation import ExplainStep, Explanation
from coordwatch.rules.search import View
from coordwatch.rules.spec import RuleSpec

OK, BAD_INPUT = 0, 2
_MARKS = {True: "yes", False: "no ", None: "?  "}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("events", nargs="*", metavar="EVENTS", help="files of canonical events, '-' for standard input")
    parser.add_argument("--rule", required=True, metavar="R", help="the rule's id")
    parser.add_argument("--customer", required=True, metavar="C", help="the customer key")
    parser.add_argument("--at", metavar="TIME", help="the act nearest to this time (default: the last act)")
    parser.add_argument("--until", metavar="TIME", help="the clock, up to which everything is proven read")
    parser.add_argument(
        "--rules", nargs="+", type=Path, metavar="PATH", help="rule files or folders instead of the shipped packs"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")


def run(args: argparse.Namespace) -> int:
    """Explain, and say with the exit code whether the question could be asked."""
    if not args.events:
        return _refuse("which events? Name the files before --rules, or '-' for standard input")
    try:
        at, until = (None if text is None else parse_time(text) for text in (args.at, args.until))
    except ValueError as error:
        return _refuse(str(error))
    rules = load_rules(args.rules)
    for problem in rules.problems:
        print(problem, file=sys.stderr)
    spec = next((spec for spec in rules.specs if spec.id == args.rule), None)
    if spec is None:
        return _refuse(f"no rule is called '{args.rule}'", did_you_mean(args.rule, [spec.id for spec in rules.specs]))
    try:
        events, bad = _read(args.events, until)
    except CoordwatchError as error:
        return _refuse(str(error))
    if all(key != args.customer for _, key in events):
        print(f"coordwatch explain: no event here is of a customer '{args.customer}'", file=sys.stderr)
    clock = until if until is not None else max((event.time for event, _ in events), default=0)
    explanation = explain_among(spec, events, args.customer, (at, clock))
    sys.stdout.write(_as_json(explanation) if args.json else _as_text(spec, explanation))
    return BAD_INPUT if bad or rules.problems else OK


def explain_among(
    spec: RuleSpec, events: Sequence[tuple[Event, str | None]], customer: str, when: tuple[int | None, int]
) -> Explanation:
    """Explain one rule over a history.

    Takes: `when`, the instant near which the act is looked for, and the clock
    """
    at, clock = when
    plan = compile_rules([spec], display=True)
    facts = [fact for event, key in events if key == customer and (fact := fact_of(event, plan)) is not None]
    broadcasts = [
        fact for event, _ in events if TYPES[event.type].broadcast and (fact := fact_of(event, plan)) is not None
    ]
    view = View(once_each(facts)[0], customer, Reference(once_each(broadcasts)[0]))
    rule = plan.rules[0]
    return explain(rule, view, choose_act(rule, view, None, at), clock)


def _read(names: Sequence[str], until: int | None) -> tuple[list[tuple[Event, str | None]], bool]:
    """Every event with its customer, and whether some line was bad (said on standard error)."""
    events: list[Event] = []
    bad = False
    with temporary_folder() as folder:
        for part in parts_of(names, Path(folder)):
            lines = (line for piece in pieces(part) for line in piece.split(b"\n"))
            for line in filter(bytes.strip, lines):
                event = decode_event(line)
                if isinstance(event, Rejected):
                    bad = True
                    print(
                        encode_json({"file": part.name, "reason": event.reason.value, "detail": event.detail}).decode(),
                        file=sys.stderr,
                    )
                elif until is None or event.time <= until:
                    events.append(event)
    return list(zip(events, resolve_all(events), strict=True)), bad


def _as_text(spec: RuleSpec, explanation: Explanation) -> str:
    lines = [f"{spec.title} ({spec.id})", explanation.sentence, "", *lines_of(explanation)]
    return "\n".join(lines) + "\n"


def lines_of(explanation: Explanation) -> list[str]:
    """One line a step: whether it held, and why."""
    lines: list[str] = []
    width = max(len(step.step) for step in explanation.steps)
    for step in explanation.steps:
        lines.append(f"  {_MARKS[step.held]} {step.kind:<9} {step.step:<{width}}  {step.text}")
        if step.stopper and explanation.outcome in ("open", "pending"):
            lines.append(f"      {'':<9} {'':<{width}}  {step.stopper}")
    return lines


def _as_json(explanation: Explanation) -> str:
    def plain(step: ExplainStep) -> dict[str, Any]:
        return {
            "step": step.step, "kind": step.kind, "held": step.held, "text": step.text,
            "events": [{"source": source, "id": event_id} for source, event_id in step.events],
            "missed_by_us": step.missed_by, "stopper": step.stopper,
        }  # fmt: skip

    document = {
        "outcome": explanation.outcome,
        "sentence": explanation.sentence,
        "steps": [plain(s) for s in explanation.steps],
    }
    return encode_json(document).decode() + "\n"


def _refuse(message: str, hint: str | None = None) -> int:
    print(f"coordwatch explain: {message}" + (f" ({hint})" if hint else ""), file=sys.stderr)
    return BAD_INPUT
