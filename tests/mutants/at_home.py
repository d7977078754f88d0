"""A pytest plugin that makes sure that the broken copy is what the tests run: else every mutant would survive in silence."""

import os
from pathlib import Path

import pytest

import coordwatch


def pytest_sessionstart(session: pytest.Session) -> None:
    """End the run when another copy of the package was imported."""
    del session
    copy = Path(os.environ["COORDWATCH_MUTANT"])
    if not Path(coordwatch.__file__).is_relative_to(copy):
        pytest.exit(f"coordwatch comes from {coordwatch.__file__}, not from the broken copy", returncode=9)
