"""One breakage at a time: a copy of `src` with one text replaced enters; which test noticed it leaves.

The copy stands before the real one on the path, so the tests run as they are. A text that is not found exactly once
is itself a failure: the engine has moved on, and the list of breakages must follow it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
QUICK = ("tests/statements",)
LAWS = ("tests/statements", "tests/laws")
_ALONE = ("tests/statements", "tests/laws", "tests/detecting")
EXAMPLES = "600"  # of the laws, for one mutant
GIVEN_UP = 900.0  # seconds; a minute is enough where nothing else runs, and an endless loop is noticed all the same


@dataclass(frozen=True)
class Mutant:
    """One breakage: what it does, in which file, the text before and after, and the tests that must notice."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...] = QUICK
    only: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: the test that noticed it, or why it counts as a failure."""

    mutant: Mutant
    noticed_by: str | None
    trouble: str = ""


def broken(mutant: Mutant, source: Path = SRC) -> str:
    """The text of the file with the breakage in it.

    Raises: LookupError when the text is not there exactly once
    """
    text = (source / mutant.path).read_text(encoding="utf-8")
    found = text.count(mutant.old)
    if found != 1:
        raise LookupError(f"the text is there {found} times in {mutant.path}")
    return text.replace(mutant.old, mutant.new)


def try_one(mutant: Mutant) -> Outcome:
    """Break a copy, run the tests against it."""
    try:
        text = broken(mutant)
    except (LookupError, OSError) as error:
        return Outcome(mutant, None, f"no longer applies: {error}")
    with tempfile.TemporaryDirectory(prefix="coordwatch-mutant-") as folder:
        copy = Path(folder) / "src"
        shutil.copytree(SRC, copy)
        (copy / mutant.path).write_text(text, encoding="utf-8")
        return run_tests(mutant, copy)


def run_tests(mutant: Mutant, copy: Path) -> Outcome:
    """Run until the first failure; the failure's name is the answer."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COORDWATCH_EXAMPLES": EXAMPLES,
        "CI": "true",
    }
    environment.pop("PYTEST_XDIST_WORKER", None)
    command = [
        sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist",
        "-p", "no:schemathesis", "-p", "tests.mutants.at_home", *_without_services(mutant), *(("-k", mutant.only) if mutant.only else ()), *mutant.tests,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=ROOT, env={**environment, "COORDWATCH_MUTANT": str(copy)}, capture_output=True, text=True, check=False,
            timeout=GIVEN_UP,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Outcome(mutant, None, f"the tests took longer than {GIVEN_UP:.0f} s")
    failed = re.search(r"^FAILED \S+::(\S+)", done.stdout, re.MULTILINE)
    if done.returncode == 1 and failed:
        return Outcome(mutant, failed[1])
    if done.returncode == 0:
        return Outcome(mutant, None, "survived")
    return Outcome(mutant, None, f"the tests did not run: {(done.stdout + done.stderr).strip()[-300:]}")


def _without_services(mutant: Mutant) -> tuple[str, ...]:
    """Leave `tests/conftest.py` aside for tests that need none of the services it brings."""
    alone = all(path.startswith(_ALONE) for path in mutant.tests)
    return ("--confcutdir", str(ROOT / "tests" / "statements")) if alone else ()


def unbroken(mutants: tuple[Mutant, ...]) -> Outcome:
    """Run everything that the mutants run on the engine as it is: it must survive, or noticing means nothing."""
    tests = tuple(dict.fromkeys(path for one in mutants for path in one.tests))
    return run_tests(Mutant("(nothing is broken)", "", "", "", tests), SRC)


def try_all(mutants: tuple[Mutant, ...], jobs: int) -> list[Outcome]:
    """Try every mutant, `jobs` at a time, in the order of the list."""
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(try_one, mutants))


def table(outcomes: list[Outcome]) -> str:
    """`mutant, noticed by`, one a line."""
    width = max(len(one.mutant.name) for one in outcomes)
    rows = [f"{'mutant':<{width}}  noticed by"]
    rows += [f"{one.mutant.name:<{width}}  {one.noticed_by or one.trouble.upper()}" for one in outcomes]
    return "\n".join(rows)
