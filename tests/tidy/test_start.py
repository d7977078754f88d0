"""A command pays only for what it uses: the start of `replay` is counted in a user's patience."""

import subprocess
import sys

import pytest

HEAVY = {"fastapi", "starlette", "uvicorn", "sqlalchemy", "pydantic", "jinja2", "prometheus_client", "asyncio"}


@pytest.mark.parametrize("module", ["coordwatch.cli", "coordwatch.cli.replay", "coordwatch.cli.explain"])
def test_replay_and_explain_import_no_server_and_no_database(module: str) -> None:
    """A fresh interpreter, because this one has imported everything."""
    program = f"import sys, {module}; print(*sorted(name.partition('.')[0] for name in sys.modules))"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert set(shown.split()) & HEAVY == set()
