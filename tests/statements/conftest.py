"""Every example about detection runs three times: on the naive reference, on the engine, and on the lines of a file."""

from __future__ import annotations

import pytest

from tests.laws import subject
from tests.reference import evaluator
from tests.statements.scene import Judge


@pytest.fixture(params=["reference", "engine", "lines"])
def judge(request: pytest.FixtureRequest) -> Judge:
    """Judge rule documents over a history: (rules, events, until, shared) -> what stands."""
    return {"reference": evaluator.replay, "engine": subject.replay, "lines": subject.replay_lines}[request.param]
