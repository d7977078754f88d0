"""`python -m tests.mutants`: break the engine at every place of the list; print who noticed; 1 if nobody did."""

from __future__ import annotations

import argparse
import os
import sys

from tests.mutants.bench import table, try_all, unbroken
from tests.mutants.guards import GUARDS
from tests.mutants.list import MUTANTS


def main(arguments: list[str] | None = None) -> int:
    """Try the mutants whose name holds a word (all of them without one)."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("word", nargs="?", default="", help="only the mutants whose name holds this")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="how many at a time")
    parser.add_argument("--guards", action="store_true", help="those of the distributed runtime, on a real broker")
    chosen = parser.parse_args(arguments)
    mutants = tuple(one for one in (GUARDS if chosen.guards else MUTANTS) if chosen.word in one.name)
    if not mutants:
        print(f"no mutant is called '{chosen.word}'", file=sys.stderr)
        return 2
    first = None if chosen.guards else unbroken(mutants)
    if first is not None and first.trouble != "survived":
        print(f"the tests fail on the engine as it is: {first.noticed_by or first.trouble}", file=sys.stderr)
        return 2
    outcomes = try_all(mutants, chosen.jobs)
    print(table(outcomes))
    unnoticed = sum(one.noticed_by is None for one in outcomes)
    print(f"\n{len(outcomes)} mutants, {unnoticed} unnoticed")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    raise SystemExit(main())
