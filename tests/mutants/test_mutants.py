"""The suite notices every breakage of the list, and the list is what it says."""

from __future__ import annotations

import pytest

from bench.kafka_guards import GUARDS as WEIGHED
from tests.mutants.bench import SRC, Mutant, broken, run_tests, table, try_all, try_one
from tests.mutants.guards import GUARDS
from tests.mutants.list import MUTANTS


def test_every_breakage_is_noticed() -> None:
    """As `python -m tests.mutants`, which first runs the same tests on the engine as it is; here the suite does that."""
    outcomes = try_all(MUTANTS, jobs=2)
    assert [(one.mutant.name, one.trouble) for one in outcomes if one.noticed_by is None] == [], table(outcomes)


def test_there_are_at_least_ten_and_each_has_a_name_of_its_own() -> None:
    assert len(MUTANTS) >= 10
    assert len({one.name for one in MUTANTS}) == len(MUTANTS)


def test_every_breakage_changes_something() -> None:
    assert [one.name for one in (*MUTANTS, *GUARDS) if one.old == one.new] == []


def test_every_guard_that_can_be_taken_out_is_there() -> None:
    """They are taken out by commands of their own, on a real broker; here only their texts are looked for."""
    for guard in (*GUARDS, *WEIGHED):
        assert broken(guard)


def test_a_text_that_is_no_longer_there_is_a_failure() -> None:
    gone = Mutant("gone", MUTANTS[0].path, "no engine ever held this text", "")
    assert try_one(gone).noticed_by is None
    assert "no longer applies" in try_one(gone).trouble
    with pytest.raises(LookupError):
        broken(gone)


def test_what_breaks_nothing_survives_and_the_table_says_so() -> None:
    harmless = Mutant(
        "harmless",
        MUTANTS[0].path,
        '"""',
        '"""',
        tests=("tests/statements/test_every_statement.py", "tests/laws/test_caps.py"),
    )
    outcome = run_tests(harmless, SRC)
    assert (outcome.noticed_by, outcome.trouble) == (None, "survived")
    assert "SURVIVED" in table([outcome])
