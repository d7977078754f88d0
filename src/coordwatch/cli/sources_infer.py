"""`coordwatch sources infer`: payloads that no mapping knows yet, and a first mapping for them as YAML.

What enters: files of payloads, or the newest records of a topic. What leaves: a mapping with remarks, on standard output; it
has been read back and tried on the same payloads. The next room: a person, and `coordwatch map --config`.
"""

import argparse
import gzip
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from coordwatch.cli.extras import needing_kafka, room
from coordwatch.cli.map import Stream, payloads_of
from coordwatch.codec import encode_json, struct_with
from coordwatch.errors import DocumentError, PermanentError
from coordwatch.sources.decode import SchemaDecoder
from coordwatch.sources.infer.infer import propose
from coordwatch.sources.infer.writing import mapping_yaml
from coordwatch.sources.lines import record_of_line
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.parse import parse_mappings
from coordwatch.sources.record import Record, RefusedError

OK, BAD_USAGE = 0, 2
SAMPLE = 2000
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("payloads", nargs="*", metavar="FILE", help="payloads of one tool, '-' for standard input")
    parser.add_argument("--kafka", metavar="TOPIC", help="the newest records of a topic instead; nothing is committed")
    parser.add_argument(
        "--bootstrap", metavar="HOST:PORT", help="brokers that ask for no login, without a settings file"
    )
    parser.add_argument(
        "--source", metavar="NAME", help="what the tool is called (default: from the file or the topic)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write there, unless it exists, instead of to standard output"
    )
    parser.add_argument(
        "--sample", type=int, default=SAMPLE, metavar="N", help=f"at most so many records (default {SAMPLE})"
    )


def run(args: argparse.Namespace) -> int:
    """Propose a mapping, see that it runs, and print it."""
    if bool(args.payloads) == bool(args.kafka):
        return _refuse("name files of payloads, or a topic with --kafka")
    name = args.source or _name_of(args.kafka or args.payloads[0])
    if not _NAME.fullmatch(name):
        return _refuse(f"--source: '{name[:80]}' is no name: lower-case letters, digits, '-', '_' and '.'")
    try:
        records = _of_topic(args) if args.kafka else list(records_of(args.payloads, args.sample))
        text = inferred(records, name)
        if args.out is None:
            sys.stdout.write(text)
        else:
            with args.out.open("x", encoding="utf-8") as file:
                file.write(text)
    except (OSError, EOFError) as error:
        return _refuse(str(error))
    return OK


def inferred(records: Sequence[Record], name: str) -> str:
    """The YAML of a mapping for these records, tried on them.

    Raises: PermanentError when there is nothing to read in them
    """
    proposal = propose(records, name)
    if not proposal.pieces:
        raise PermanentError(f"none of the {len(records):,} records holds an object: nothing can be read off them")
    text = mapping_yaml(proposal)
    try:
        mappings = parse_mappings(text, "the proposal")
    except DocumentError as error:  # a payload stranger than we foresaw: say so instead of handing out what cannot run
        raise PermanentError(
            f"the proposal cannot be read back, which is a mistake of ours: {error.problems[0]}"
        ) from None
    return mapping_yaml(proposal, [_tried(Mapper(mappings), records, name)])


def _tried(mapper: Mapper, records: Sequence[Record], name: str) -> str:
    pieces, events, dropped, refused = 0, 0, 0, Counter[str]()
    for record in records:
        result = mapper.map_record(record, name)
        pieces, events, dropped = pieces + result.pieces, events + len(result.events), dropped + len(result.dropped)
        refused.update(one.reason.value for one in result.rejected)
    why = ", ".join(f"{reason} {count:,}" for reason, count in refused.most_common())
    return (
        f"Of {'this payload' if pieces == 1 else f'these {pieces:,} payloads'} it makes "
        f"{events:,} {'event' if events == 1 else 'events'}, leaves {dropped:,} aside and refuses {refused.total():,}"
        + (f" ({why})." if why else ".")
    )


def records_of(names: Sequence[str], most: int) -> Iterator[Record]:
    """The payloads of files as records. Raises: OSError when one cannot be read."""
    left = most
    for name in names:
        with _open(name) as stream:
            for _, payload in payloads_of(stream):
                if left <= 0:
                    return
                left -= 1
                yield record_of_line(payload) or Record(payload)


def _open(name: str) -> Stream:
    if name == "-":
        return sys.stdin.buffer
    return gzip.open(name, "rb") if name.endswith(".gz") else Path(name).open("rb")


def _of_topic(args: argparse.Namespace) -> list[Record]:
    """The newest records of each partition. Raises: PermanentError or TemporaryError when they cannot be read."""
    newest = needing_kafka("adapters.kafka.ranges").newest
    site = room("app.judging").site_of(args.config)
    decode = None if site.settings is None else room("app.registry").registry_decoder(site.settings.kafka)
    records = list(newest(site.access(args.bootstrap), args.kafka, args.sample))[: args.sample]
    return records if decode is None else [as_json(record, decode) for record in records]


def as_json(record: Record, decode: SchemaDecoder) -> Record:
    """The record as the mapping will see it: what stands under a schema of a registry, written as JSON."""
    if record.value is None or record.value[:1] != b"\0":
        return record
    try:
        return struct_with(record, value=encode_json(decode(record.value)))
    except RefusedError:
        return record  # it is among those that cannot be read, and counted so


def _name_of(place: str) -> str:
    """A name for the tool out of the name of a file or a topic."""
    stem = Path(place).name.partition(".")[0] if "/" in place or Path(place).suffix else place
    words = re.findall(r"[a-z0-9]+", stem.lower())
    name = "-".join(words)[:64]
    return name if _NAME.fullmatch(name) else "tool"


def _refuse(message: str) -> int:
    print(f"coordwatch sources infer: {message}", file=sys.stderr)
    return BAD_USAGE
