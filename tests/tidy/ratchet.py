"""The size ratchet: what is over the limits is listed with its number, and the numbers only go down.

Enters: the source tree and `ratchet.txt`. Leaves: what grew, what is new, what has shrunk.
`python -m tests.tidy.ratchet` writes the list again, lower where the code got smaller. It never raises a number and
never adds a line: that is a decision, taken by hand in `ratchet.txt`, with the reason in the commit.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.tidy.tree import Function, functions_of, name_of, python_files

LIST = Path(__file__).with_name("ratchet.txt")
LIMITS = {"module": 300, "function": 50, "parameters": 5}
UNIT = {"module": "lines", "function": "lines", "parameters": "parameters"}
HEAD = """\
# Larger than the habit (module 300 lines, function 50 lines, 5 parameters). Numbers only go down:
# `python -m tests.tidy.ratchet` lowers them; a new line is a decision with its reason in the commit.
"""


@dataclass(frozen=True, slots=True)
class Oversize:
    """One thing above its limit: its kind, where it is."""

    kind: str
    place: str


def measure() -> dict[Oversize, int]:
    """Give everything in src/ above its limit."""
    sizes: dict[Oversize, int] = {}
    for path in python_files("src"):
        name = name_of(path)
        sizes[Oversize("module", name)] = path.read_text(encoding="utf-8").count("\n")
        for function, node in functions_of(path):
            place = f"{name}:{function}"
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            # Two definitions under one name (overloads, branches) count as the larger.
            for kind, size in (("function", lines), ("parameters", _parameters(function, node))):
                key = Oversize(kind, place)
                sizes[key] = max(size, sizes.get(key, 0))
    return {key: size for key, size in sizes.items() if size > LIMITS[key.kind]}


def _parameters(name: str, node: Function) -> int:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    bound = "." in name and every and every[0].arg in ("self", "cls")
    return len(every) - bool(bound)


def read(text: str) -> dict[Oversize, int]:
    """Read the list: `kind place number` on each line, `#` begins a comment."""
    listed: dict[Oversize, int] = {}
    for line in text.splitlines():
        fields = line.partition("#")[0].split()
        if fields:
            kind, place, number = fields
            listed[Oversize(kind, place)] = int(number)
    return listed


def grown(now: Mapping[Oversize, int], listed: Mapping[Oversize, int]) -> list[str]:
    """Give one sentence for each thing that is over its limit and its listed number."""
    return [
        f"{key.place}: {size} {UNIT[key.kind]}, "
        + (f"listed with {listed[key]}" if key in listed else f"the habit is {LIMITS[key.kind]}")
        + ": split it by what it does"
        for key, size in sorted(now.items(), key=lambda item: (item[0].place, item[0].kind))
        if size > listed.get(key, LIMITS[key.kind])
    ]


def shrunk(now: Mapping[Oversize, int], listed: Mapping[Oversize, int]) -> list[str]:
    """Give one sentence for each listed number that the code has left behind."""
    return [
        f"{key.place}: {key.kind} is listed with {number} and has {now.get(key, 'no more than the habit')}: "
        "run `.venv/bin/python -m tests.tidy.ratchet`"
        for key, number in listed.items()
        if now.get(key, 0) < number
    ]


def lowered(now: Mapping[Oversize, int], listed: Mapping[Oversize, int]) -> dict[Oversize, int]:
    """Give the list with each number as low as the code allows today."""
    return {key: min(number, now[key]) for key, number in listed.items() if key in now}


def main() -> int:
    """Lower the numbers in the list, and say what no list excuses."""
    now, listed = measure(), read(LIST.read_text(encoding="utf-8"))
    after = lowered(now, listed)
    rows = sorted(f"{key.kind} {key.place} {number}\n" for key, number in after.items())
    LIST.write_text(HEAD + "".join(rows), encoding="utf-8")
    problems = grown(now, after)
    print(*problems, sep="\n", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
