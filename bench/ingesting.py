"""The stage `ingest` without Kafka: what one core takes and gives of canonical events and of vendor payloads.

    python -m bench.ingesting [--events N] [--profile]

Events of about 500 bytes with trusted ids, as in `bench.kafka`. Figures are CPU time of this process, the best of three
rounds; the row above them decodes the same bytes and does nothing else, so that the ratio holds on any machine.
"""

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable, Sequence
from itertools import islice

import msgspec

from bench import workload
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


def best(name: str, work: Callable[[], object], events: int, rounds: int = 3) -> None:
    """Print the best of some rounds."""
    seconds = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    print(f"{name:44} {events / min(seconds):10,.0f} ev/s   {min(seconds) / events * 1e6:6.2f} us")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    values = [line.rstrip() for line in islice(workload.lines(arguments.events, 20_000, 300), arguments.events)]
    decode = msgspec.json.Decoder().decode
    best("raw: msgspec, every value", lambda: list(map(decode, values)), len(values))
    best("ingest: canonical events, trusted ids", lambda: taken(values), len(values))
    if arguments.profile:
        profile = cProfile.Profile()
        profile.runcall(taken, values)
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
