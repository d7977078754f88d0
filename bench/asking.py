"""What a question before an act costs, beside what judging the same act afterwards costs.

    python -m bench.asking [--events N] [--customers N]

Twenty rules and the events of `bench.detecting`. Each message that was sent in the busy hour is asked about, as
`POST /v1/check` of a worker would, with the customer as last committed: their bytes are read, every rule is asked, and again for
the end of a hold. CPU time of one process, all in one run.
"""

import argparse
import gc

from bench.detecting import PLACE, Message, begun, best, history, raw
from coordwatch.engine.check import Advice
from coordwatch.events.event import Event
from coordwatch.events.wire import decode_event
from coordwatch.processor.checking import checked
from coordwatch.processor.detecting import Detecting


def acts_of(found: list[Message]) -> list[Event]:
    """The messages that tools sent."""
    events = (decode_event(value) for _, value in found)
    return [one for one in events if isinstance(one, Event) and one.type == "marketing.message.sent"]


def ask(stage: Detecting, act: Event) -> Advice:
    """One question."""
    known = stage.known(PLACE.partition, act.subject or "")
    assert known is not None
    return checked(known, act.subject or "", act, act.time).answer.advice


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--customers", type=int, default=10_000)
    arguments = parser.parse_args()
    before, measured = history(arguments.customers, arguments.events)
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    run = begun({})
    run.feed(before)
    run.reset()
    acts = acts_of(measured)
    answers = [ask(run.stage, act) for act in acts]
    said = ", ".join(f"{answers.count(advice):,} {advice}" for advice in Advice)
    print(f"{len(acts):,} messages asked about: {said}")
    raw([value for _, value in measured])
    best("a question", lambda: [ask(run.stage, act) for act in acts], len(acts))
    allowed = [act for act, advice in zip(acts, answers, strict=True) if advice is Advice.ALLOW]
    best("a question that nothing stands against", lambda: [ask(run.stage, act) for act in allowed], len(allowed))
    run.feed(measured)
    run.report("judging the same hour, all events")


if __name__ == "__main__":
    main()
