"""The stage `ingest` without Kafka: what one core takes and gives of canonical events.

    python -m bench.ingesting [--events N] [--profile]

Events of about 500 bytes with trusted ids, as in `bench.kafka`. Figures are CPU time of this process, the best of three
rounds; the row above them decodes the same bytes and does nothing else, so that the ratio holds on any machine.
"""

import argparse
import cProfile
import pstats
from collections.abc import Sequence
from itertools import islice

from bench import workload
from bench.detecting import best, raw
from coordwatch.context.progress import SourceProgress
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import MINUTE
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.processor.ingesting import Ingest, IngestSettings, SourceTopic
from coordwatch.processor.stage import Place, Slice
from coordwatch.processor.topics import Topics

SLICE, COMMIT = 2_000, 20_000
PLACE = Place("shop", 0)
NOW = int(workload.START + 400 * 86_400) * 1_000_000


def stage() -> Ingest:
    """A process that holds one partition of a topic of canonical events."""
    sources = (SourceTopic(PLACE.topic, "canonical", SourceProgress("shop", frozenset(TYPES), 5 * MINUTE)),)
    made = Ingest(IngestSettings(Topics("bench", 1), sources, IdentityPolicy(mode=IdentityMode.TRUSTED_ID)), None)
    made.assign(PLACE, {})
    return made


def taken(values: Sequence[bytes]) -> int:
    """Take all of them, with a commit now and then; how many bytes left."""
    made, size = stage(), 0
    for start in range(0, len(values), SLICE):
        piece = list(values[start : start + SLICE])
        offsets = list(range(start, start + len(piece)))
        rest = [None] * len(piece)
        made.take(Slice(PLACE, offsets, [b"k"] * len(piece), piece, rest, [NOW] * len(piece)), NOW)
        if (start + SLICE) % COMMIT == 0:
            size += sum(len(one.value or b"") for one in made.give(NOW))
    return size


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    values = [line.rstrip() for line in islice(workload.lines(arguments.events, 20_000, 300), arguments.events)]
    raw(values)
    best("ingest: canonical events, trusted ids", lambda: taken(values), len(values))
    if arguments.profile:
        profile = cProfile.Profile()
        profile.runcall(taken, values)
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
