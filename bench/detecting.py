"""The stage `detect` without Kafka: what one core takes and gives, beside the raw decoding of the same bytes.

    python -m bench.detecting [--events N] [--many N] [--profile]

Twenty rules (those that ship, and the bench rules), events of about 500 bytes, some ten facts a customer. Figures are CPU
time of this process, and all of one run, so that the ratios hold on any machine. Three times over: few customers, who are
touched again and again between two commits; many, who are mostly bytes when they are touched; and the same many while
some other process, that has just restored them, has yet to touch anybody. And once more with few, of whom tools are told
whether anything stands against a promotion.
"""

import argparse
import cProfile
import gc
import pstats
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import many, workload
from coordwatch.adapters.files import load_rules
from coordwatch.context.progress import SourceProgress
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import DAY, MINUTE
from coordwatch.identity.policy import IdentityMode, IdentityPolicy
from coordwatch.processor.detecting import Detecting, DetectSettings, Watched
from coordwatch.processor.detecting.suppressing import Suppression
from coordwatch.processor.marks import Mark, mark_records
from coordwatch.processor.outcomes import Reach
from coordwatch.processor.stage import Output, Place, Slice
from coordwatch.processor.topics import Topics
from coordwatch.rules.parse import parse_rules
from coordwatch.rules.spec import RuleSpec

RULES, FACTS = 20, 10
SLICE, COMMIT = 2_000, 40_000
TOPICS = Topics("bench", 1)
PLACE = Place(TOPICS.events, 0)
SOURCE = Watched(SourceProgress("tools", frozenset(TYPES), 5 * MINUTE), ("tools/0",))
PROMOTIONS = Suppression.of("promotions", "marketing.message.sent", {"category": "promotional", "channel": "email"})
Message = tuple[bytes, bytes]


def rules() -> list[RuleSpec]:
    """Twenty rules: those that ship, and as many bench rules, narrowed to one campaign or platform, as make up the number."""
    shipped = list(load_rules().specs)[: RULES - 5]
    narrowed = many.rules(5 + RULES - len(shipped)).replace("id: ", "id: bench-").split("\n---\n")[5:]
    return [*shipped, *parse_rules("\n---\n".join(narrowed), "bench.yaml", None)]


def stage(told: tuple[Suppression, ...] = ()) -> Detecting:
    """A process with nothing assigned yet."""
    identity = IdentityPolicy(mode=IdentityMode.TRUSTED_ID)
    settings = DetectSettings(TOPICS, identity, lateness=7 * DAY, suppressions=told)
    return Detecting(rules(), settings, [SOURCE])


def messages(lines: Iterable[bytes]) -> list[Message]:
    """Lines as messages: the customer is the key."""
    return [(_subject(line), line.rstrip(b"\n")) for line in lines]


def history(customers: int, events: int) -> tuple[list[Message], list[Message]]:
    """Four weeks in which each customer had some ten events, and then a busy hour; late and doubled ones as in `workload`."""
    writer, rng = workload.Writer(7, customers), random.Random(8)
    before, span = customers * FACTS, 27 * 86_400
    arriving: list[tuple[float, int, bytes]] = []
    for number in range(before + events):
        hour = 3_600 * (number - before) / events
        second = workload.START + (span * number / before if number < before else span + hour)
        line = msgspec.json.encode(writer.event(number, second))
        arrives = second + rng.random() * 300 if rng.random() < 0.02 else second
        arriving.append((arrives, number, line))
        if rng.random() < 0.005:
            arriving.append((arrives + rng.random() * 60, number, line))
    arriving.sort()
    found = messages(line for _, _, line in arriving)
    return found[:before], found[before:]


def _subject(line: bytes) -> bytes:
    start = line.index(b'"subject":"') + 11
    return line[start : line.index(b'"', start)]


def now_of(message: Message) -> int:
    """The present, as if an event came when it happened."""
    start = message[1].index(b'"time":"') + 8
    text = message[1][start : start + 20].decode()
    return int(time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone) * 1_000_000


def parts(found: Sequence[Message]) -> list[Sequence[Message]]:
    """Messages as slices of the usual size."""
    return [found[at : at + SLICE] for at in range(0, len(found), SLICE)]


@dataclass
class Run:
    """A stage that is fed; what it took, how long that needed, and how many customers it gave."""

    stage: Detecting
    rows: dict[bytes, bytes]
    offset: int = 0
    taking: float = 0.0
    giving: float = 0.0
    events: int = 0
    customers: int = 0
    given: int = 0
    changes: int = 0

    def feed(self, found: Sequence[Message]) -> None:
        """Take messages in slices, with a mark, a tick and a commit now and then."""
        for start in range(0, len(found), COMMIT):
            piece = found[start : start + COMMIT]
            slices = [(now_of(part[-1]), self._slice(part)) for part in parts(piece)]
            now = slices[-1][0]
            (mark,) = mark_records(TOPICS.events, 1, Mark({"tools": {"tools/0": Reach(now - 5 * MINUTE, now, now)}}))
            slices.append((now, Slice(PLACE, [self.offset], [None], [mark.value], [mark.headers], [0])))
            self.offset += 1
            begin = time.process_time()
            for present, one in slices:
                self.stage.take(one, present)
                self.stage.tick(present)
            took = time.process_time()
            outputs = self.stage.give(now)
            self.giving += time.process_time() - took
            self.taking += took - begin
            self.events += len(piece)
            self._keep(outputs)

    def _slice(self, piece: Sequence[Message]) -> Slice:
        size = len(piece)
        found = Slice(
            PLACE,
            list(range(self.offset, self.offset + size)),
            [bytes(bytearray(key)) for key, _ in piece],
            [value for _, value in piece],
            [None] * size,
            [0] * size,
        )
        self.offset += size
        return found

    def _keep(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            self.given += len(output.value or b"")
            self.changes += output.topic == TOPICS.detections
            if output.topic == TOPICS.detect_state and output.key is not None:
                self.customers += output.key.startswith(b"customer/")
                if output.value is None:
                    self.rows.pop(output.key, None)
                else:
                    self.rows[output.key] = output.value

    def reset(self) -> None:
        """Count from here on."""
        self.taking = self.giving = 0.0
        self.events = self.customers = self.given = self.changes = 0

    def report(self, name: str) -> None:
        """Print what was measured."""
        both = self.taking + self.giving
        print(
            f"{name:44} {self.events / both:10,.0f} ev/s   {both / self.events * 1e6:6.2f} us   take "
            f"{self.taking / self.events * 1e6:5.2f}   give {self.giving / self.events * 1e6:5.2f}   "
            f"{self.giving / max(1, self.customers) * 1e6:5.2f} us a dirty customer   "
            f"{self.given / self.events:6,.0f} B out an event   {self.changes / self.events:.1%} changes"
        )


def begun(rows: dict[bytes, bytes], told: tuple[Suppression, ...] = ()) -> Run:
    """A run over what was restored."""
    one = Run(stage(told), dict(rows))
    one.offset = one.stage.assign(PLACE, rows) or 0
    return one


def best(name: str, work: Callable[[], object], events: int, rounds: int = 3) -> None:
    """Print the best of some rounds."""
    seconds = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    print(f"{name:44} {events / min(seconds):10,.0f} ev/s   {min(seconds) / events * 1e6:6.2f} us")


def raw(values: Sequence[bytes]) -> None:
    """What decoding alone costs: every value of each event."""
    decode = msgspec.json.Decoder().decode
    best("raw: msgspec, every value", lambda: list(map(decode, values)), len(values))


def memory() -> int:
    """The resident memory of this process. Units: bytes."""
    gc.collect()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    return 0


def copied(found: Sequence[Message], copies: int, seed: int = 3) -> list[Message]:
    """Each event for one of several customers who are alike."""
    rng = random.Random(seed)
    alike = []
    for key, value in found:
        other = key + b"~%d" % rng.randrange(copies)
        alike.append((other, value.replace(b'"subject":"' + key + b'"', b'"subject":"' + other + b'"', 1)))
    return alike


def rows_of_many(rows: dict[bytes, bytes], copies: int) -> dict[bytes, bytes]:
    """The rows of as many customers as asked: each as some customer of a smaller crowd."""
    every = {key: value for key, value in rows.items() if not key.startswith(b"customer/")}
    for key, value in rows.items():
        if key.startswith(b"customer/"):
            every.update((key + b"~%d" % copy, bytes(bytearray(value))) for copy in range(copies))
    return every


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=120_000, help="how many are measured, each time")
    parser.add_argument("--few", type=int, default=10_000, help="how many customers are few")
    parser.add_argument("--many", type=int, default=500_000, help="how many customers are many")
    parser.add_argument("--profile", choices=["few", "many"])
    arguments = parser.parse_args()
    base, size = arguments.few, arguments.events
    before, measured = history(base, size)
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    print(f"{RULES} rules, {sum(len(value) for _, value in measured) / len(measured):,.0f} bytes an event")
    raw([value for _, value in measured])
    few = begun({})
    few.feed(before)
    few.report(f"stage, from nothing, {base:,} customers")
    few.reset()
    rows = dict(few.rows)
    profiled(lambda: few.feed(measured), arguments.profile == "few")
    few.report(f"stage, {base:,} customers")
    telling = begun(rows, (PROMOTIONS,))
    now = now_of(measured[0])
    telling.stage.tick(now)
    while telling.stage.pending:
        telling.stage.give(now)
    telling.feed(measured)
    telling.report("stage, the same, tools are told")

    crowd(rows, measured, arguments)


def crowd(rows: dict[bytes, bytes], measured: Sequence[Message], arguments: argparse.Namespace) -> None:
    """Measure with many customers: memory of the cold ones, then the events, then memory of those decoded."""
    copies = arguments.many // arguments.few
    sizes = [len(value) for key, value in rows.items() if key.startswith(b"customer/")]
    print(f"{sum(sizes) / len(sizes):,.0f} bytes a customer in the changelog, at most {max(sizes):,}")
    empty = memory()
    every = rows_of_many(rows, copies)
    cold = memory()
    begin = time.process_time()
    one = begun(every)
    seconds = time.process_time() - begin
    customers = len(sizes) * copies
    print(f"{customers:,} customers cold: {(cold - empty) / customers:,.0f} bytes each; assigned in {seconds:.1f} s")
    one.rows.clear()
    alike = copied(measured, copies)
    profiled(lambda: one.feed(alike), arguments.profile == "many")
    one.report(f"stage, {customers:,} customers")
    print(f"{(memory() - cold) / max(1, one.customers):,.0f} bytes more for each customer touched")


def profiled(work: Callable[[], object], wanted: bool) -> None:
    """Run, and print where the time went if that is wanted."""
    if not wanted:
        work()
        return
    profile = cProfile.Profile()
    profile.runcall(work)
    pstats.Stats(profile).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    main()
