"""`coordwatch map`: a tool's own payloads, as they would reach a topic, turned into canonical events.

What enters: files or standard input: one JSON a line, one JSON text, or the record lines of a recorded stream.
What leaves: canonical events as JSON Lines on standard output; what was refused, with its original, on standard error.
"""

import argparse
import base64
import gzip
import json
import os
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from coordwatch.adapters.mapping_files import SourceFiles, load_sources, read_source_files
from coordwatch.codec import NotJson, decode_json, encode_json, struct_with
from coordwatch.documents import did_you_mean
from coordwatch.events.times import parse_time
from coordwatch.events.wire import encode_event
from coordwatch.sources.lines import record_of_line
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import MapResult, Record

Stream = IO[bytes] | gzip.GzipFile
OK, SOME_REJECTED, BAD_USAGE = 0, 1, 2
WHOLE_FILE_MAX = 256 << 20
# A batch of thousands that is refused piece by piece prints its bytes once, not thousands of times.
REPEATED_ORIGINAL_MAX = 64 << 10
_BLANKS = re.compile(r"\s*")
_PROGRESS_EVERY = 20_000


@dataclass(slots=True)
class Counts:
    """What became of everything read."""

    records: int = 0
    pieces: int = 0
    events: int = 0
    dropped: int = 0
    rejected: int = 0
    unknown_category: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "payloads", nargs="+", metavar="PAYLOADS", help="files, '-' for standard input: one JSON a line, or one JSON"
    )
    parser.add_argument(
        "--source", metavar="NAME", help="the mapping to use; without it, the topic of a record chooses"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="a settings file, a mapping of your own, or a campaign catalogue"
    )
    parser.add_argument("--topic", default="", metavar="NAME", help="the topic the payloads came from")
    parser.add_argument(
        "--header", action="append", default=[], metavar="NAME:VALUE", help="a header of every payload; may be repeated"
    )
    parser.add_argument(
        "--observed-at", metavar="TIME", help="when the payloads reached the log; later event times are then clamped"
    )


def run(args: argparse.Namespace) -> int:
    """Map every payload, and say with the exit code whether all could be mapped or left aside."""
    files = SourceFiles() if args.config is None else read_source_files(args.config)
    mapper = Mapper(*load_sources(files))
    counts = Counts()
    try:
        mapping = _Mapping(mapper, _template(args, mapper), args.source, counts)
        for name, stream in [(name, _open(name)) for name in args.payloads]:
            with stream:
                _map_stream(_printable(name), stream, mapping)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise  # whoever read us has seen enough; the dispatcher knows how to end
    except (ValueError, OSError, EOFError, zlib.error) as error:
        print(f"coordwatch map: {error}", file=sys.stderr)
        return BAD_USAGE
    _report(counts)
    return SOME_REJECTED if counts.rejected else OK


def _template(args: argparse.Namespace, mapper: Mapper) -> Record:
    """The record that bare payloads are put into. Raises: ValueError when an argument cannot be used."""
    names = [mapping.name for mapping in mapper.mappings]
    if args.source is not None and args.source not in names:
        hint = did_you_mean(args.source, names)
        raise ValueError(f"no mapping is called '{args.source}'" + (f" ({hint})" if hint else ""))
    headers: list[tuple[str, str]] = []
    for text in args.header:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise ValueError(f"--header: '{text}' is not NAME:VALUE")
        headers.append((name.strip(), value.strip()))
    try:
        observed = None if args.observed_at is None else parse_time(args.observed_at)
    except ValueError as error:
        raise ValueError(f"--observed-at: {error}") from None
    return Record(None, _printable(args.topic), headers=headers, timestamp=observed)


def _printable(text: str) -> str:
    """A name from the command line as JSON can hold it: file names may be any bytes."""
    return os.fsencode(text).decode("utf-8", "replace")


def _open(name: str) -> Stream:
    if name == "-":
        return sys.stdin.buffer
    return gzip.open(name, "rb") if name.endswith(".gz") else Path(name).open("rb")


@dataclass(frozen=True, slots=True)
class _Mapping:
    """Everything that one payload after the other is mapped with, and the count of what became of them."""

    mapper: Mapper
    template: Record
    source: str | None
    counts: Counts

    def take(self, name: str, line: int, record: Record) -> None:
        """Map one record and print what came of it."""
        result = self.mapper.map_record(record, self.source)
        for event in result.events:
            sys.stdout.buffer.write(encode_event(event) + b"\n")
        _print_rejections(name, line, record, result)
        _count(self.counts, result)


def _map_stream(name: str, stream: Stream, mapping: _Mapping) -> None:
    empty = True
    for line, payload in payloads_of(stream):
        empty = False
        mapping.take(name, line, record_of_line(payload) or struct_with(mapping.template, value=payload))
    if empty:
        mapping.take(name, 1, struct_with(mapping.template, value=b""))


def payloads_of(stream: Stream) -> Iterator[tuple[int, bytes]]:
    """Give each payload of a stream with the line it begins at.

    A first line that is JSON by itself makes a stream of lines, read as they come. Otherwise everything is one JSON
    text, or several one after the other, or else lines of which some are broken.
    """
    lines = ((number, line) for number, line in enumerate(stream, 1) if line.strip())
    number, first = next(lines, (0, b""))
    if not first:
        return
    if _is_json(first):
        yield number, first.rstrip(b"\r\n")
        for at, line in lines:
            yield at, line.rstrip(b"\r\n")
        return
    yield from _of_whole(first + stream.read(WHOLE_FILE_MAX), number)


def _of_whole(whole: bytes, number: int) -> Iterator[tuple[int, bytes]]:
    if _is_json(whole):
        yield number, whole
        return
    several = _several(whole, number)
    if several:
        yield from several
        return
    lines = [(at, line) for at, line in enumerate(whole.splitlines(), number) if line.strip()]
    if any(_is_json(line) and line.lstrip()[:1] in (b"{", b"[") for _, line in lines):
        yield from lines
    else:
        yield number, whole


def _several(whole: bytes, number: int) -> list[tuple[int, bytes]]:
    """JSON texts written one after the other over several lines; none when anything else stands between them."""
    try:
        text = whole.decode()
        decoder = json.JSONDecoder()
        found: list[tuple[int, bytes]] = []
        position = _past_blanks(text, 0)
        while position < len(text):
            _, end = decoder.raw_decode(text, position)
            found.append((number, text[position:end].encode()))
            following = _past_blanks(text, end)
            number += text.count("\n", position, following)
            position = following
    except (ValueError, RecursionError):
        return []
    return found


def _past_blanks(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return position if found is None else found.end()


def _is_json(text: bytes) -> bool:
    try:
        decode_json(text)
    except NotJson:
        return False
    return True


def _count(counts: Counts, result: MapResult) -> None:
    counts.records += 1
    counts.pieces += result.pieces
    counts.events += len(result.events)
    counts.dropped += len(result.dropped)
    counts.rejected += len(result.rejected)
    counts.unknown_category += result.unknown_category
    if counts.records % _PROGRESS_EVERY == 0 and sys.stderr.isatty():
        print(f"\r{counts.records:,} records, {counts.events:,} events", end="", file=sys.stderr, flush=True)


def _print_rejections(name: str, line: int, record: Record, result: MapResult) -> None:
    for number, rejection in enumerate(result.rejected):
        row: dict[str, Any] = {
            "file": name,
            "line": line,
            "source": result.source,
            "reason": rejection.reason.value,
            "stage": rejection.stage.value,
            "path": rejection.path,
            "detail": rejection.detail,
        }
        if rejection.piece is not None:
            row["piece"] = rejection.piece
        value = record.value or b""
        if number == 0 or len(value) <= REPEATED_ORIGINAL_MAX:
            row |= _original(value)
        sys.stderr.write(encode_json(row).decode() + "\n")


def _original(value: bytes) -> dict[str, str]:
    try:
        return {"original": value.decode()}
    except UnicodeDecodeError:
        return {"original_base64": base64.b64encode(value).decode()}


def _report(counts: Counts) -> None:
    if not sys.stderr.isatty():
        return
    unknown = f", {counts.unknown_category:,} of unknown category" if counts.unknown_category else ""
    print(
        f"\r{counts.records:,} records in {counts.pieces:,} pieces: {counts.events:,} events{unknown}, "
        f"{counts.dropped:,} left aside, {counts.rejected:,} rejected",
        file=sys.stderr,
    )
