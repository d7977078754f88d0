"""What every test shares: how many examples a law gets, and where the browser is.

A law that wants a fixed number of examples says so in its own `@settings`; the long run replaces the
number from outside: `COORDWATCH_EXAMPLES=200000 pytest tests/laws`.
"""

import os
import shutil
from pathlib import Path

import axe_playwright_python
import pytest
from hypothesis import HealthCheck, Verbosity, settings

CI = os.environ.get("CI") == "true"
EXAMPLES = os.environ.get("COORDWATCH_EXAMPLES")

# Two shared cores make any deadline a coin toss, so none is set. Under CI the same examples run every time:
# a red build must be about the change in it, and the long run is where new examples are looked for.
settings.register_profile("quick", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
if EXAMPLES:
    settings.register_profile(
        "long",
        deadline=None,
        print_blob=True,
        max_examples=int(EXAMPLES),
        suppress_health_check=[HealthCheck.too_slow],
        verbosity=Verbosity.normal,
    )
settings.load_profile("long" if EXAMPLES else "ci" if CI else "quick")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Give the path of a real Chromium; without one, skip visibly, and fail under CI."""
    named = os.environ.get("COORDWATCH_CHROMIUM", "/usr/bin/chromium")
    found = shutil.which(named)
    if found is None:
        missing = f"no Chromium at {named}: run `bash tests/chromium.sh`, which brings it or says what to type"
        if CI:
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    return found


@pytest.fixture(scope="session")
def axe_source() -> str:
    """Give the text of axe.min.js, to be evaluated in a page: no script tag, so the page's policy stays strict."""
    return Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
