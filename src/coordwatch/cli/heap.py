"""The memory of a process that works for long: how often the garbage collector looks at it.

What enters: a process that has loaded its rules and mappings.
What leaves: one in which the collector looks at what is new, and seldom.
The next room: `worker`.
"""

import gc

_NEW, _YOUNG, _OLD = 50_000, 20, 10


def collect_seldom() -> None:
    """Set apart what is there to stay, and let fifty thousand new objects come before the collector looks.

    An event makes some dozens of them and no cycles; looking after every seven hundred, as Python does by itself, costs more
    than a quarter of what an event takes in `bench.detecting`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW, _YOUNG, _OLD)
