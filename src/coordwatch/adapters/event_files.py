"""Files of canonical events: paths in, whole lines in large pieces out, each place readable as often as needed.

Standard input (`-`) is kept in a temporary file while it is read, so that it too can be read again; so are ranges of topics,
whose lines know where they stood.
"""

import gzip
import os
import shutil
import sys
import tempfile
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from coordwatch.errors import PermanentError

# A piece and what is decoded of it should fit the second-level cache.
PIECE = 1 << 17
LINE_MAX = 16 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a file from one byte up to another; `end` None is the end of the file."""

    path: Path
    name: str
    start: int = 0
    end: int | None = None


@dataclass(slots=True)
class Places:
    """Where the lines of one copied topic stood, line by line."""

    partitions: "array[int]" = field(default_factory=lambda: array("l"))
    offsets: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, partition: int, offset: int) -> None:
        """Note the place of the next line."""
        self.partitions.append(partition)
        self.offsets.append(offset)


@dataclass(frozen=True, slots=True)
class History:
    """Parts to read; a part that was copied from a topic has its name, and in `places` where its lines stood.

    `refused` counts records that gave no events, and were told of when they were copied. A `filed` history names the
    customer of every event, as identity had decided.
    """

    parts: list[Part]
    places: Mapping[str, Places] = field(default_factory=dict)
    refused: int = 0
    filed: bool = False

    def place(self, name: str, line: int) -> dict[str, Any]:
        """Where a line of a part stood. Units: lines count from 1."""
        places = self.places.get(name)
        if places is None:
            return {"file": name, "line": line}
        return {"topic": name, "partition": places.partitions[line - 1], "offset": places.offsets[line - 1]}


def parts_of(paths: Sequence[str], folder: Path) -> list[Part]:
    """The files to read; standard input is first copied into `folder`.

    Raises: PermanentError when a file is not there or not readable
    """
    parts = []
    for name in paths:
        if name == "-":
            copy = folder / "standard-input"
            with copy.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file, PIECE)
            parts.append(Part(copy, "-"))
            continue
        path = Path(name)
        if not path.is_file() or not os.access(path, os.R_OK):
            raise PermanentError(f"{name}: there is no such file, or it may not be read")
        parts.append(Part(path, name))
    return parts


def split(parts: Sequence[Part], jobs: int) -> list[list[Part]]:
    """Share files among jobs, large ones cut in stretches of about the same length; compressed ones stay whole."""
    sizes = [part.path.stat().st_size for part in parts]
    goal = max(sum(sizes) // jobs, 1)
    shares: list[list[Part]] = [[] for _ in range(jobs)]
    place = filled = 0
    for part, size in zip(parts, sizes, strict=True):
        start = 0
        while start < size or (size == 0 and start == 0):
            whole = part.path.suffix == ".gz" or place == jobs - 1
            end = size if whole else min(size, start + max(goal - filled, 1))
            shares[place].append(Part(part.path, part.name, start, None if end == size else end))
            filled += end - start
            start = end if end else 1
            if filled >= goal and place < jobs - 1:
                place, filled = place + 1, 0
    return shares


def pieces(part: Part) -> Iterator[bytes]:
    """The whole lines of a stretch, in pieces that fit a cache; a line belongs to the stretch in which it begins.

    Raises: PermanentError when the file cannot be decompressed
    """
    with _open(part.path) as file:
        position = part.start
        if position:
            file.seek(position - 1)
            position += len(file.readline()) - 1
        rest = b""
        while part.end is None or position < part.end:
            try:
                piece = file.read(PIECE)
            except (OSError, EOFError) as error:
                raise PermanentError(f"{part.name}: cannot be decompressed: {error}") from None
            if not piece:
                break
            rest += piece
            end = _end(rest, None if part.end is None else part.end - position)
            if end:
                yield rest[:end]
                position += end
                rest = rest[end:]
            elif len(rest) > LINE_MAX:
                yield rest + b"\n"
                position += len(rest) + _skip_line(file)
                rest = b""
        if rest and (part.end is None or position < part.end):
            yield rest


def _end(text: bytes, stop: int | None) -> int:
    """Where the last whole line ends, or the one that crosses the end of the stretch."""
    if stop is not None and stop <= len(text):
        crossing = text.find(b"\n", max(stop - 1, 0))
        if crossing >= 0:
            return crossing + 1
    return text.rfind(b"\n") + 1


def _skip_line(file: IO[bytes]) -> int:
    skipped = 0
    while True:
        line = file.readline(PIECE)
        skipped += len(line)
        if not line or line.endswith(b"\n"):
            return skipped


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb", buffering=0)  # type: ignore[return-value]


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder that is gone when its context ends."""
    return tempfile.TemporaryDirectory(prefix="coordwatch-")
