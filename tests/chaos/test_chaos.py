"""Three brokers, two workers, and everything that can happen to them: at the end it is as if nothing had.

Each run prints its seed; `python -m tests.chaos --seed S` makes one of any length.
"""

import pytest

from tests.chaos.faults import Plan
from tests.chaos.run import chaos

EVERYTHING = Plan(kills=10, pauses=4, restarts=2, broker_kills=2, refusals=2)
PAUSES = Plan(pauses=9)


@pytest.mark.parametrize("runtime", ["faust", "plain"])
def test_kills_pauses_restarts_lost_brokers_and_refused_writes_leave_no_trace(three_brokers, tmp_path, runtime):
    print(chaos(three_brokers, tmp_path, seed=7, plan=EVERYTHING, events=100_000, runtime=runtime))


@pytest.mark.parametrize("runtime", ["faust", "plain"])
def test_pauses_alone_leave_no_trace(three_brokers, tmp_path, runtime):
    """Random kills are the easy half: who is paused comes back and believes that it still owns everything."""
    print(chaos(three_brokers, tmp_path, seed=11, plan=PAUSES, events=40_000, runtime=runtime))
