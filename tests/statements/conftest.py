"""Every example about detection runs twice: on the naive reference and on the engine."""

from __future__ import annotations

import pytest

from tests.reference import evaluator
from tests.statements.scene import Judge


@pytest.fixture(params=["reference"])
def judge(request: pytest.FixtureRequest) -> Judge:
    """Judge rule documents over a history: (rules, events, until, shared) -> what stands."""
    return {"reference": evaluator.replay}[request.param]
