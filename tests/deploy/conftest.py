"""What the deployment tests need: Prometheus' own tools."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def promtool() -> str:
    """Give the path of promtool; without one, skip visibly, and fail under CI."""
    found = shutil.which("promtool")
    if found is None:
        missing = "no promtool: sudo apt-get install prometheus"
        if os.environ.get("CI") == "true":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    return found
