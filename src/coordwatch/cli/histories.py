"""Which history a command judges, and with what: files, standard input or ranges of topics; the arguments, and the reading.

What enters: a command line. What leaves: a Site and a History, with refusals as JSON on standard error and remarks for a person who
looks on. Settings and Kafka are loaded only for whoever names them. The next rooms: `replay` and `backtest`.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordwatch.adapters.event_files import History, parts_of
from coordwatch.cli.extras import needing_kafka, room
from coordwatch.clock import SystemClock
from coordwatch.codec import encode_json
from coordwatch.errors import PermanentError
from coordwatch.identity.policy import IdentityPolicy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what says which history is meant."""
    parser.add_argument("events", nargs="*", metavar="EVENTS", help="files of canonical events, '-' for standard input")
    parser.add_argument(
        "--kafka",
        action="append",
        default=[],
        metavar="TOPIC@FROM..TO",
        help="a range of a topic; FROM and TO are offsets, times, or -24h; empty is the beginning, or the end as it is now",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="a settings file: its Kafka, mappings and rules")
    parser.add_argument(
        "--bootstrap", metavar="HOST:PORT", help="brokers that ask for no login, without a settings file"
    )
    parser.add_argument(
        "--source", metavar="NAME", help="the mapping of the topics, when they hold a tool's own payloads"
    )


@dataclass(frozen=True, slots=True)
class Site:
    """What a history is judged with: rules, None for the packs that ship; how customers are found; the rest, for Kafka."""

    rules: list[Path] | None = None
    identity: IdentityPolicy | None = None
    rest: Any = None


def nothing_named(args: argparse.Namespace) -> bool:
    """Whether no history is named at all."""
    return not args.events and not args.kafka


def site_of(args: argparse.Namespace) -> Site:
    """The site that the command line names. Raises: DocumentError when its settings cannot be used."""
    if args.config is None and not args.kafka:
        return Site()
    site = room("app.judging").site_of(args.config)
    return Site(site.rules, site.identity, site)


def history_of(args: argparse.Namespace, site: Site, folder: Path) -> History:
    """Read what the command line names; ranges are copied into `folder`.

    Raises: CoordwatchError with the next move
    """
    if not args.kafka and (args.source or args.bootstrap):
        raise PermanentError("--source and --bootstrap are for --kafka; `coordwatch map` maps files of payloads")
    files = parts_of(args.events, folder)
    if not args.kafka:
        return History(files)
    copied = _copied(args, site.rest, folder)
    return History([*files, *copied.parts], copied.places, copied.refused, copied.filed and not files)


def _copied(args: argparse.Namespace, site: Any, folder: Path) -> History:
    kafka, ranges = needing_kafka("app.kafka_history"), needing_kafka("adapters.kafka.ranges")
    now = SystemClock().now()
    try:
        wanted = [ranges.parse_range(text, now) for text in args.kafka]
    except ValueError as error:
        raise PermanentError(f"--kafka: {error}") from None
    access, settings = site.access(args.bootstrap), site.settings
    mapper = site.mapper(None if settings is None else room("app.registry").registry_decoder(settings.kafka))
    topic = site.catalogue_topic
    if topic is not None:
        mapper.use(needing_kafka("app.kafka_catalogue").catalogue_now(access, topic, mapper.mappings))
    chosen = None if args.source is None else room("app.judging").checked_source(args.source, mapper)
    mapping = site.mapping_of if chosen is None else lambda _: chosen
    history: History
    reading = kafka.Reading(access, now, mapper, mapping, _tell)
    history, remarks = kafka.copy_ranges(reading, wanted, folder)
    if sys.stderr.isatty():
        print(*remarks, sep="\n", file=sys.stderr)
    return history


def _tell(row: dict[str, Any]) -> None:
    print(encode_json(row).decode(), file=sys.stderr)
