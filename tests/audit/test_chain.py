"""The chain: whatever is changed, taken out, moved or cut off is noticed, and the first broken entry is named."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.audit.chain import GENESIS, Flaw, Head, chained, check, head_of, heads_in
from coordwatch.audit.deed import WITHHELD, Deed, DeedKind
from coordwatch.audit.trail import Asked, pseudonym
from tests.tidy.tree import python_files

FEW = settings(max_examples=40)
TEXTS = st.text(max_size=30)
DEEDS = st.builds(
    Deed,
    at=st.integers(0, 2**50),
    actor=TEXTS,
    kind=st.sampled_from(DeedKind),
    subject=TEXTS,
    facts=st.dictionaries(
        st.sampled_from(["before", "after", "note"]), st.one_of(TEXTS, st.integers(-9, 9), st.none())
    ),
)
CHAINS = st.lists(DEEDS, min_size=1, max_size=8)


@FEW
@given(CHAINS, CHAINS)
def test_a_chain_is_whole_however_it_was_written(first, second):
    links = chained(Head(), first)
    head = Head(links[-1].number, links[-1].seal)
    links += chained(head, second)
    assert links == chained(Head(), [*first, *second])
    checked = check(links, [head, Head(len(links), links[-1].seal[:8])])
    assert checked.broken is None
    assert checked.head.number == len(first) + len(second)


CHANGES = {
    "at": lambda link: replace(link, at=link.at + 1),
    "actor": lambda link: replace(link, actor=f"{link.actor}x"),
    "kind": lambda link: replace(link, kind=f"{link.kind}x"),
    "subject": lambda link: replace(link, subject=f"{link.subject}x"),
    "facts": lambda link: replace(link, facts=f"{link.facts} "),
    "seal": lambda link: replace(link, seal=GENESIS),
}


@FEW
@given(CHAINS, st.sampled_from(sorted(CHANGES)), st.data())
def test_whatever_is_changed_is_named(deeds, column, data):
    links = chained(Head(), deeds)
    index = data.draw(st.integers(0, len(links) - 1))
    links[index] = CHANGES[column](links[index])
    broken = check(links).broken
    assert (broken.number, broken.flaw) == (index + 1, Flaw.CHANGED)


@FEW
@given(st.lists(DEEDS, min_size=2, max_size=8), st.data())
def test_whatever_is_taken_out_of_the_middle_is_named(deeds, data):
    links = chained(Head(), deeds)
    index = data.draw(st.integers(0, len(links) - 2))
    del links[index]
    broken = check(links).broken
    assert (broken.number, broken.flaw) == (index + 1, Flaw.MISSING)
    # Closing the gap by numbering the rest anew does not help.
    closed = [replace(link, number=number) for number, link in enumerate(links, 1)]
    assert check(closed).broken.number == index + 1


@FEW
@given(st.lists(DEEDS, min_size=2, max_size=8), st.data())
def test_two_that_change_places_are_noticed_at_the_first(deeds, data):
    links = chained(Head(), deeds)
    one, other = sorted(data.draw(st.lists(st.integers(0, len(links) - 1), min_size=2, max_size=2, unique=True)))
    links[one], links[other] = replace(links[other], number=one + 1), replace(links[one], number=other + 1)
    assert check(links).broken.number == one + 1


@FEW
@given(CHAINS, st.data())
def test_an_end_that_was_cut_off_is_noticed_by_a_head_that_was_noted_elsewhere(deeds, data):
    links = chained(Head(), deeds)
    left = data.draw(st.integers(0, len(links) - 1))
    noted = Head(len(links), links[-1].seal)
    assert check(links[:left]).broken is None, "nothing in the chain itself says where it ended"
    broken = check(links[:left], [noted]).broken
    assert (broken.number, broken.flaw) == (left + 1, Flaw.CUT)


@FEW
@given(CHAINS, CHAINS)
def test_a_history_written_anew_is_noticed_by_a_head_that_was_noted_elsewhere(deeds, others):
    links, anew = chained(Head(), deeds), chained(Head(), others)
    for number in range(1, min(len(links), len(anew)) + 1):
        noted = Head(number, links[number - 1].seal)
        same = links[:number] == anew[:number]
        broken = check(anew, [noted]).broken
        assert (broken is None) == same
        assert same or (broken.number, broken.flaw) == (number, Flaw.REPLACED)


def test_anybody_can_check_a_seal_without_this_program():
    deed = Deed(1_000_000, "ada", DeedKind.ALERT_SNOOZE, "A-1", {"until": "soon", "after": "snoozed"})
    (link,) = chained(Head(), [deed])
    text = (
        '[1,1000000,"ada","alert.snooze","A-1",' + json.dumps('{"after":"snoozed","until":"soon"}') + f',"{GENESIS}"]'
    )
    assert link.seal == hashlib.sha256(text.encode()).hexdigest()


def test_what_leads_back_to_a_person_is_withheld_and_long_texts_are_cut():
    key = "cust_" + "0" * 32
    deed = Deed(0, f"ada {key}", DeedKind.PERSON_UNMASK, f"k1:{'a' * 32}", {"why": key, "long": "x" * 999})
    assert (deed.actor, deed.subject, deed.facts["why"]) == (f"ada {WITHHELD}", WITHHELD, WITHHELD)
    assert len(deed.facts["long"]) == 200
    assert len(chained(Head(), [replace(deed, actor="\ud800", subject="\x00")])) == 1


def test_a_customer_has_one_pseudonym_a_site():
    assert pseudonym(b"one", "cust_1") == pseudonym(b"one", "cust_1")
    assert len({pseudonym(b"one", "cust_1"), pseudonym(b"two", "cust_1"), pseudonym(b"one", "cust_2")}) == 3


def test_heads_are_read_from_whatever_stands_before_them():
    seal = "9f86d081884c7d65"
    assert list(heads_in(f"2026-03-02T12:00:00Z 3:{seal}\n\n4:{seal}{seal}\n")) == [Head(3, seal), Head(4, seal * 2)]
    for wrong in ("", "3", f"x:{seal}", "3:short", "3:ABCDEF0123456789", f"-3:{seal}", f"3:{seal[:15]}"):
        with pytest.raises(ValueError, match="no head of an audit trail"):
            head_of(wrong)


def test_a_page_is_asked_for_by_every_column():
    (link,) = chained(Head(), [Deed(5, "ada", DeedKind.ALERT_SNOOZE, "A-1")])
    takes = [Asked(), Asked("ada", "alert", "A-1", 5, 6, 2), Asked(kind="alert.snooze")]
    refuses = [
        Asked("bo"),
        Asked(kind="ale"),
        Asked(kind="alert.wake"),
        Asked(subject="A"),
        Asked(since=6),
        Asked(until=5),
    ]
    assert all(one.takes(link) for one in takes)
    assert not any(one.takes(link) for one in [*refuses, Asked(before=1)])


def test_everything_that_can_be_written_down_is_written_down_somewhere():
    """A kind that no code gives would be a promise of the guide that nobody keeps."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in python_files("src") if path.name != "deed.py")
    by_action = {f"alert.{action.value}" for action in AlertAction}
    assert [] == [kind for kind in DeedKind if f"DeedKind.{kind.name}" not in text and kind.value not in by_action]
    assert by_action <= {kind.value for kind in DeedKind}
