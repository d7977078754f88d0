"""A pytest plugin for one breakage: the broken copy is what the tests run (else every mutant would survive in silence).

A breakage is noticed or not, by the same examples every time, and nobody reads the smallest one.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

import coordwatch

settings.register_profile(
    "mutant",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=int(os.environ["COORDWATCH_EXAMPLES"]),
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("mutant")  # `tests/conftest.py`, where it is read, loads its own


def pytest_sessionstart(session: pytest.Session) -> None:
    """End the run when another copy of the package was imported."""
    del session
    copy = Path(os.environ["COORDWATCH_MUTANT"])
    if not Path(coordwatch.__file__).is_relative_to(copy):
        pytest.exit(f"coordwatch comes from {coordwatch.__file__}, not from the broken copy", returncode=9)
