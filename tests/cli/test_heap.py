"""How often the garbage collector looks: in a process of its own, since it is set for the whole of one."""

import subprocess
import sys

LOOK = """
import gc
from coordwatch.cli.heap import collect_seldom
collect_seldom()
found = sum(one["collected"] for one in gc.get_stats())
for _ in range(60_000):
    one = []
    one.append(one)
print(gc.get_freeze_count() > 10_000, sum(one["collected"] for one in gc.get_stats()) - found >= 40_000)
"""


def test_what_is_there_to_stay_is_set_apart_and_cycles_are_still_found() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
