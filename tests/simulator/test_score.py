"""The score: what is right, what was missed, what was invented, and what nobody can know."""

import pytest

from coordwatch.simulator.labels import Label, LabelKind, Which, label_from_plain, label_to_plain
from coordwatch.simulator.score import score

AT = 1_780_000_000_000_000


def a_label(act: str, kind: LabelKind = LabelKind.TRUE_CONFLICT, **more) -> Label:
    return Label("r", "C-1", "tool", act, AT, kind, "because it is so", **more)


def a_detection(act: str, rule: str = "r") -> dict:
    return {"rule": rule, "at": "2026-06-01T06:00:00Z", "act": {"source": "tool", "id": act}, "customer": "k"}


def test_everything_found_is_perfect():
    (one,) = score([a_label("a"), a_label("b")], [a_detection("a"), a_detection("b")])
    assert (one.precision, one.recall, one.right, one.is_perfect) == (1.0, 1.0, 2, True)


def test_a_conflict_that_was_not_raised_is_missed_with_its_reason():
    (one,) = score([a_label("a"), a_label("b", which=Which.LATE)], [a_detection("a")])
    assert (one.precision, one.recall, one.is_perfect) == (1.0, 0.5, False)
    assert [miss.reason for miss in one.missed] == ["not raised, customer C-1: because it is so (late)"]


def test_a_trap_that_was_raised_is_invented():
    labels = [a_label("a"), a_label("b", LabelKind.HARD_NEGATIVE, which=Which.IN_FLIGHT)]
    (one,) = score(labels, [a_detection("a"), a_detection("b")])
    assert (one.precision, one.recall) == (0.5, 1.0)
    assert one.hard == {"in_flight": (1, 1)}
    assert [miss.reason for miss in one.invented] == ["raised, customer C-1: because it is so (in_flight)"]


def test_a_detection_about_which_the_story_says_nothing_is_invented():
    (one,) = score([], [a_detection("x")])
    assert (one.precision, one.recall) == (0.0, None)
    assert [miss.reason for miss in one.invented] == [
        "raised at 2026-06-01T06:00:00Z; nothing in the story makes it a conflict"
    ]


def test_what_was_never_published_counts_neither_way():
    labels = [
        a_label("silent", which=Which.EVIDENCE_UNPUBLISHED, published=False),
        a_label("told", LabelKind.HARD_NEGATIVE, which=Which.EVIDENCE_UNPUBLISHED, published=False),
        a_label("lucky", which=Which.SHARED_MAILBOX, published=False),
    ]
    (one,) = score(labels, [a_detection("told"), a_detection("lucky")])
    assert one.is_perfect
    assert (one.precision, one.recall, one.right) == (None, None, 0)
    assert [miss.act[2] for miss in one.unpublished] == ["silent", "told"]


def test_rules_are_scored_apart_and_in_order():
    scores = score([a_label("a")], [a_detection("a"), a_detection("a", "another")])
    assert [(one.rule, one.is_perfect) for one in scores] == [("another", False), ("r", True)]


def test_a_label_survives_its_line():
    label = a_label("a", LabelKind.HARD_NEGATIVE, which=Which.SHARED_MAILBOX, published=False)
    assert label_from_plain(label_to_plain(label), AT) == label


@pytest.mark.parametrize("broken", [{}, {"rule": "r"}, None, "text", 3])
def test_something_else_is_no_label(broken: object):
    with pytest.raises((KeyError, TypeError, ValueError)):
        label_from_plain(broken, AT)
