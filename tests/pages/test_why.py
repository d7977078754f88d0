"""Why a rule fired, in words: each kind of step, from the detection alone and together with the engine's verdict."""

from coordwatch.adapters.pages.alert import runbook_of
from coordwatch.adapters.pages.steps import step_words
from coordwatch.adapters.pages.why import derived_steps, held_words, told_steps
from coordwatch.events.times import DAY, HOUR, MINUTE
from coordwatch.ports import ExplainStep
from coordwatch.rules.detection import Detection
from tests.pages import sample_data
from tests.pages.sample_data import CUSTOMERS, NOW, SPECS


def told(detection: Detection) -> dict[str, ExplainStep]:
    """The derived steps by kind; the rules here have one of each."""
    return {step.kind: step for step in derived_steps(detection, SPECS[detection.rule], None)}


def test_every_shipped_rule_explains_itself() -> None:
    """One step of explanation for each step of the rule, each a sentence, the act first, at least one way out."""
    for detection in sample_data.detections():
        spec = SPECS[detection.rule]
        steps = derived_steps(detection, spec, None)
        assert [name for _, name, _ in step_words(spec)] == [step.step.replace("_", " ") for step in steps]
        assert [(detection.act.source, detection.act.id)] == list(steps[0].events)
        assert all(step.text.endswith(".") for step in steps)
        assert any(step.stopper for step in steps), spec.id


def test_an_absence_says_what_was_due_and_what_would_have_cancelled() -> None:
    """The notice by its deadline; the delivery since the delay."""
    steps = told(sample_data.delayed(CUSTOMERS[2], NOW, 1))
    assert "Not seen by 3 Mar 2026 14:20 UTC, 4 h after the act: delay notice sent." == steps["expect"].text
    assert "Delay notice sent, by 3 Mar 2026 14:20 UTC." == steps["expect"].stopper
    assert "did not come in time" == held_words(steps["expect"])
    assert "did not cancel" == held_words(steps["unless"])
    assert "It would have cancelled this." in steps["unless"].text


def test_what_came_late_is_said_to_be_late() -> None:
    """Made good: by which event, how long after the deadline."""
    text = told(sample_data.cancelled(CUSTOMERS[3], NOW, 7, late=2 * HOUR + 5 * MINUTE))["expect"].text
    assert text.startswith("Mailcart: cancellation notice sent (order O-88127), 2 h 5 min after the deadline")


def test_counted_events_are_counted() -> None:
    """How many there were and how many the rule asks for."""
    text = told(sample_data.bot_loop(CUSTOMERS[5], NOW, 77, repeats=9))["after"].text
    assert "9 events counted" in text
    assert "at least 2" in text


def test_a_state_says_whether_it_was_open_or_lately_ended() -> None:
    """As much as the context knows: open, ended five hours before, or one of the two."""
    detection = sample_data.promo_complaint(CUSTOMERS[6], NOW - 50 * MINUTE, 66, gap=3 * DAY)
    known = derived_steps(detection, SPECS[detection.rule], sample_data.lingering_customer())[1].text
    assert "ended 5 h before it, and is felt for 2 days after that" in known
    unknown = derived_steps(detection, SPECS[detection.rule], None)[1].text
    assert "was open at the act, or had ended less than 2 days before" in unknown


def test_the_engines_verdict_stands_and_its_words_where_it_disagrees() -> None:
    """A step that did not hold keeps the engine's words; a step that made the rule fire gets the plain ones."""
    derived = [
        ExplainStep("a", "while", True, "plain a", (), None, "way out"),
        ExplainStep("b", "unless", False, "plain b"),
    ]
    engine = [
        ExplainStep("a", "while", True, "engine a", [("s", "1")]),
        ExplainStep("b", "unless", True, "engine b"),
        ExplainStep("c", "given", None, "engine c"),
    ]
    steps = told_steps(engine, derived)
    assert ["plain a", "engine b", "engine c"] == [step.text for step in steps]
    assert ([("s", "1")], "way out") == (steps[0].events, steps[0].stopper)
    assert ["held", "cancels", "unknown"] == [held_words(step) for step in steps]
    assert derived == told_steps([], derived)


def test_a_runbook_is_cut_at_its_numbers_only() -> None:
    """Numbers in order are steps, any other number is text; text around them is paragraphs."""
    book = runbook_of("Before.\n\n1. Wait until 24. May,\n   then look.\n2. Call.\n\nAfter 24. hours.", str.upper)
    assert ["WAIT UNTIL 24. MAY, THEN LOOK.", "CALL."] == list(book.steps)
    assert ["BEFORE.", "AFTER 24. HOURS."] == list(book.paragraphs)
    assert ["ONLY TEXT."] == list(runbook_of("Only text.", str.upper).paragraphs)
    assert [] == list(runbook_of("", str.upper).paragraphs)
