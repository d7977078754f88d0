"""Verdicts as they are remembered: what was said of an act, whether it stands, and what a change of it means.

Verdicts of `judge` enter, with what was said before. Entries, kinds of changes and reasons leave. The next room: `step`.
"""

from collections.abc import Iterator

from coordwatch.context.fact import ID, MASK, SOURCE, TIME, Fact
from coordwatch.context.reference import Reference
from coordwatch.engine.detect import detect, evidence_of, lain_for
from coordwatch.engine.ledger import HOUR, Name
from coordwatch.engine.state import CustomerState, Entry, tool_of
from coordwatch.rules.detection import Detection, DetectionStatus, RetractReason
from coordwatch.rules.evaluate import Outcome, Verdict
from coordwatch.rules.plan import CompiledRule

STANDING = (Outcome.OPEN, Outcome.MADE_GOOD)


def stands(entry: Entry | None) -> bool:
    """Whether a detection stands by what was said."""
    return entry is not None and entry.outcome in STANDING


def entry_of(rule: CompiledRule, act: Fact, verdict: Verdict) -> Entry:
    """What is remembered of a verdict."""
    evidence = tuple((step, fact[SOURCE], fact[ID]) for step, fact in verdict.evidence)
    tool = tool_of(verdict.evidence[0][1]) if verdict.evidence else ""
    lain = lain_for(act, [fact for _, fact in verdict.evidence])
    return Entry(verdict.outcome, verdict.at, rule.revision, evidence, tool, lain)


COUNTED: dict[Outcome, tuple[str, ...]] = {
    Outcome.OPEN: ("detections",),
    Outcome.MADE_GOOD: ("detections", "made_good"),
    Outcome.PENDING: (),
    Outcome.IN_FLIGHT: ("in_flight",),
    Outcome.MISSING_KEY: ("missing_key",),
}


def difference(rule: str, act: Fact, entries: tuple[Entry | None, Entry | None]) -> Iterator[tuple[Name, int]]:
    """What a changed verdict adds to the ledger and takes from it."""
    old, new = entries
    if old is not None:
        yield from counted(rule, act, old, -1)
        if stands(old) and not stands(new):
            yield (rule, act[TIME] // HOUR, tool_of(act), old.evidence_tool, "retracted"), 1
    if new is not None:
        yield from counted(rule, act, new, 1)


def counted(rule: str, act: Fact, entry: Entry, amount: int) -> Iterator[tuple[Name, int]]:
    """What the ledger holds of one entry."""
    for kind in COUNTED[entry.outcome]:
        yield (rule, act[TIME] // HOUR, tool_of(act), entry.evidence_tool, kind), amount


def only_forgotten(state: CustomerState, reference: Reference, old: Entry, new: Entry | None) -> bool:
    """Whether a detection would fall or change only because its evidence is no longer kept (RULES 35)."""
    if old.outcome not in STANDING:
        return False
    evidence = {(source, event_id) for _, source, event_id in old.evidence}
    if new is not None and new.outcome in STANDING and {(s, i) for _, s, i in new.evidence} >= evidence:
        return False
    return any(not state.journal.holds(*name) and not reference.knows(*name) for name in evidence)


def change_of(
    rule: CompiledRule, customer: str, act: Fact, entries: tuple[Entry | None, Entry | None], verdict: Verdict | None
) -> tuple[str, Detection] | None:
    """The kind of change and the detection as it now stands; None when no detection stood or stands."""
    old, new = entries
    stood = old is not None and old.outcome in STANDING
    if verdict is not None and new is not None and new.outcome in STANDING:
        detection = detect(rule, customer, act, verdict)
        if not stood:
            return "raised", detection
        kind = "made_good" if new.outcome is Outcome.MADE_GOOD and old and old.outcome is Outcome.OPEN else "amended"
        return kind, detection
    if stood and old is not None:
        return "retracted", retracted(rule, customer, act, old)
    return None


def retracted(rule: CompiledRule, customer: str, act: Fact, old: Entry) -> Detection:
    """What stood of an act, as it is taken back."""
    act_evidence = evidence_of(rule.spec.when.name, act)
    return Detection(rule.id, rule.revision, customer, act_evidence, old.at, (), DetectionStatus.RETRACTED)


def reason_of(rule: CompiledRule, cause: Fact | None) -> RetractReason:
    """Why a detection falls when this fact arrived, if it was one."""
    mask = 0 if cause is None else cause[MASK]
    if rule.expect is not None and mask & rule.expect.step.bits:
        return RetractReason.EXPECTED_ARRIVED
    if mask & rule.unless_bits:
        return RetractReason.CANCELLED
    return RetractReason.EVIDENCE_CHANGED
