"""What the guards of the distributed runtime cost: `detect` with one of them taken out at a time, beside itself with all.

A copy of `src` with one text replaced enters, as for the breakages of `tests/mutants`; what leaves are folders for PYTHONPATH.
Nobody may run such a worker: each of these guards stands for a hazard that a test shows on a real broker.
"""

from pathlib import Path
from shutil import copytree, ignore_patterns

from tests.mutants.bench import SRC, Mutant, broken

INTAKE, PARTITION = (f"coordwatch/processor/detecting/{name}.py" for name in ("intake", "partition"))

GUARDS = (
    Mutant("without transactions (the weaker mode)", "coordwatch/app/worker.py", "return prepared.transactions", "return False"),
    Mutant("without the memory of recent events", INTAKE, "tag in folder.names\n            or time", "time"),
    Mutant("without the rate ledger", INTAKE, "self.acts[name] = self.acts.get(name, 0) + 1", "del name"),
    Mutant("without the changelog of customers", PARTITION, "            yield Output(state, rows.CUSTOMER + key, closed, partition)", "            del key, closed"),
)  # fmt: skip


def without(guard: Mutant, folder: Path) -> Path:
    """Give a copy of the package without a guard. Raises: LookupError when its text is not there exactly once."""
    copy = folder / f"without-{GUARDS.index(guard)}" / "src"
    copytree(SRC, copy, ignore=ignore_patterns("__pycache__"))
    (copy / guard.path).write_text(broken(guard), encoding="utf-8")
    for shipped in ("schemas", "rules"):
        (copy.parent / shipped).symlink_to(SRC.parent / shipped)
    return copy
