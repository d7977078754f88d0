"""Silences: pending, then active, then expired; what they hold back, and what may be changed."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.alerts.alert import ActionRefused, VersionConflict
from coordwatch.alerts.matchers import BadMatcher, parse_matchers
from coordwatch.alerts.silence import (
    BadSilence,
    Draft,
    SilenceState,
    changed_silence,
    expired_silence,
    new_silence,
    silenced_by,
)
from coordwatch.events.times import DAY, HOUR
from tests.build import NOW

LOW = parse_matchers("severity=low")
DRAFT = Draft(LOW, NOW, NOW + 2 * HOUR, "the warehouse counts its stock")
ADA = "ada@ops.test"
moments = st.integers(NOW - DAY, NOW + DAY)


@given(moments, st.integers(1, DAY), moments, moments)
def test_a_silence_goes_from_pending_over_active_to_expired_and_never_back(start, length, first, second):
    silence = new_silence(Draft(LOW, start, max(start, NOW) + length, "why"), ADA, NOW)
    order = list(SilenceState)
    earlier, later = sorted([first, second])
    assert order.index(silence.state(earlier)) <= order.index(silence.state(later))
    assert (silence.state(earlier) is SilenceState.ACTIVE) == (silence.starts_at <= earlier < silence.ends_at)


@given(moments, st.integers(1, DAY), moments)
def test_what_was_ended_holds_nothing_back_from_then_on(start, length, now):
    silence = new_silence(Draft(LOW, start, max(start, NOW) + length, "why"), ADA, NOW)
    if silence.state(now) is SilenceState.EXPIRED:
        with pytest.raises(ActionRefused):
            expired_silence(silence, ADA, now, None)
        return
    ended = expired_silence(silence, ADA, now, silence.version)
    assert {ended.state(now + later) for later in (0, 1, DAY)} == {SilenceState.EXPIRED}
    assert ended.version == 2
    assert silenced_by([ended], {"severity": ("low",)}, now) is None


def test_asking_twice_at_once_makes_one():
    assert new_silence(DRAFT, ADA, NOW) == new_silence(DRAFT, ADA, NOW)
    assert new_silence(DRAFT, ADA, NOW).id != new_silence(DRAFT, "ben@ops.test", NOW).id


def test_an_active_silence_keeps_its_start_and_an_expired_one_everything():
    silence = new_silence(DRAFT, ADA, NOW)
    longer = changed_silence(
        silence, replace(DRAFT, starts_at=NOW + HOUR, ends_at=NOW + DAY), "ben@ops.test", NOW + 1, 1
    )
    assert (longer.starts_at, longer.ends_at, longer.version, longer.updated_by) == (NOW, NOW + DAY, 2, "ben@ops.test")
    assert longer.created_by == ADA
    with pytest.raises(VersionConflict, match="at version 2, not 1"):
        changed_silence(longer, DRAFT, ADA, NOW + 1, 1)
    with pytest.raises(ActionRefused, match="make a new one"):
        changed_silence(longer, DRAFT, ADA, NOW + 2 * DAY, 2)


def test_the_silence_that_lasts_longest_is_the_one_that_is_named():
    several = [new_silence(replace(DRAFT, ends_at=NOW + n * HOUR), ADA, NOW) for n in (1, 3, 2)]
    held = silenced_by(several, {"severity": ("low",)}, NOW)
    assert held is several[1]
    assert silenced_by(several, {"severity": ("high",)}, NOW) is None


@pytest.mark.parametrize(
    ("draft", "error", "words"),
    [
        (replace(DRAFT, ends_at=NOW), BadSilence, "ends after it starts"),
        (replace(DRAFT, starts_at=NOW - 2, ends_at=NOW - 1), BadSilence, "over already"),
        (replace(DRAFT, ends_at=NOW + 400 * DAY), BadSilence, "at most a year"),
        (replace(DRAFT, comment=" "), BadSilence, "say why"),
        (replace(DRAFT, matchers=parse_matchers('tool=~".*"')), BadMatcher, "would silence every alert"),
    ],
)
def test_a_silence_that_says_something_impossible_is_refused(draft, error, words):
    with pytest.raises(error, match=re.escape(words)):
        new_silence(draft, ADA, NOW)
