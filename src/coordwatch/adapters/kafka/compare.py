"""Comparing: topics as they are with topics as they must be.

What enters: Wanted and Seen. What leaves: Findings, each with the command or the setting that puts it right. The next room:
`topics`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.commands import allow, configure, principal_of
from coordwatch.adapters.kafka.findings import Finding
from coordwatch.adapters.kafka.layout import ERASABLE, LETTER_HEADERS, Site, Wanted
from coordwatch.adapters.kafka.survey import Seen, Survey
from coordwatch.documents import nearest

TOPICS, SOURCES, RIGHTS = "topics", "sources", "rights"
_NEEDED = ("READ", "WRITE", "DESCRIBE_CONFIGS")


def differences(access: KafkaAccess, wanted: Sequence[Wanted], survey: Survey) -> Iterator[Finding]:
    """What of our own topics is not as it must be."""
    pairs = [(want, survey.seen[want.name]) for want in wanted if want.name in survey.seen]
    yield from _partitions(pairs)
    yield from _copies(pairs)
    for want, seen in pairs:
        yield from _kept(access, want, seen)


def _partitions(pairs: Sequence[tuple[Wanted, Seen]]) -> Iterator[Finding]:
    wrong = [(want, seen) for want, seen in pairs if want.partitions != seen.partitions]
    split = {seen.partitions for want, seen in pairs if want.by_customer}
    everywhere = next(iter(split)) if len(split) == 1 else None
    if everywhere is not None and any(want.by_customer for want, _ in wrong):
        names = [want.name for want, _ in wrong if want.by_customer]
        move = (
            f"write 'kafka: {{partitions: {everywhere}}}', or begin anew under another prefix: a key stays where it is"
        )
        text = f"{_list(names)} have {everywhere} partitions, kafka.partitions says {wrong_number(wrong)}"
        yield Finding(TOPICS, text, move)
        wrong = [(want, seen) for want, seen in wrong if not want.by_customer]
    for want, seen in wrong:
        text = f"{want.name} has {seen.partitions} partitions and must have {want.partitions}"
        yield Finding(TOPICS, text, "begin anew under another prefix: a key stays in its partition for good")


def wrong_number(wrong: Sequence[tuple[Wanted, Seen]]) -> int:
    """The number of partitions that the settings say."""
    return next(want.partitions for want, _ in wrong if want.by_customer)


def _copies(pairs: Sequence[tuple[Wanted, Seen]]) -> Iterator[Finding]:
    by_number: defaultdict[int, list[str]] = defaultdict(list)
    for want, seen in pairs:
        if seen.replication < want.replication:
            by_number[seen.replication].append(want.name)
    for number, names in sorted(by_number.items()):
        text = f"{_list(names)} {_copies_words(number)}, kafka.replication says {pairs[0][0].replication}"
        move = f"add copies with kafka-reassign-partitions.sh, or write 'kafka: {{replication: {number}}}'"
        yield Finding(TOPICS, text, move)


def _copies_words(number: int) -> str:
    return "has one copy" if number == 1 else f"has {number} copies"


def _kept(access: KafkaAccess, want: Wanted, seen: Seen) -> Iterator[Finding]:
    if seen.config is None:
        return
    policy = ",".join(sorted(seen.config.get("cleanup.policy", "").replace(" ", "").split(",")))
    if policy == "delete" and want.policy == ERASABLE:
        text = f"{want.name} is kept by 'delete' alone: a letter of somebody who is forgotten stays until it is old"
        yield Finding(TOPICS, text, configure(access, want.name, cleanup_policy=want.policy), bad=False)
    elif policy != want.policy:
        lost = (
            "its rows would be deleted" if want.policy == "compact" else "all but the newest record of a key would go"
        )
        text = f"{want.name} is kept by '{policy}' and must be by '{want.policy}', or {lost}"
        yield Finding(TOPICS, text, configure(access, want.name, cleanup_policy=want.policy))
    largest = seen.number("max.message.bytes")
    if largest is not None and largest < want.bytes_max:
        text = f"{want.name} takes records of {largest:,} bytes at most and must take {want.bytes_max:,}"
        yield Finding(TOPICS, text, configure(access, want.name, max_message_bytes=str(want.bytes_max)))
    insync = seen.number("min.insync.replicas") or 1
    if insync > seen.replication:
        text = f"{want.name} wants {insync} copies in sync and has {seen.replication}: nothing can be written"
        yield Finding(TOPICS, text, configure(access, want.name, min_insync_replicas=str(seen.replication)))
    elif insync < 2 <= seen.replication - 1:
        text = f"{want.name} takes a write as safe with one copy"
        yield Finding(TOPICS, text, configure(access, want.name, min_insync_replicas="2"), bad=False)
    yield from _retention(access, want, seen)


def _retention(access: KafkaAccess, want: Wanted, seen: Seen) -> Iterator[Finding]:
    kept, meant = seen.number("retention.ms"), want.config.get("retention.ms")
    if meant is None or kept is None or kept < 0 or kept >= int(meant):
        return
    days = int(meant) // 86_400_000
    text = f"{want.name} is kept for {kept / 86_400_000:.3g} days and not for {days}"
    move = f"replays and late readers reach back that far only; {configure(access, want.name, retention_ms=meant)}"
    yield Finding(TOPICS, text, move, bad=False)


def rights_of_topics(access: KafkaAccess, site: Site, wanted: Sequence[Wanted], survey: Survey) -> Iterator[Finding]:
    """What we may not do to our own topics: one finding, with the one command that allows it all."""
    lacking = {
        operation
        for want in wanted
        if (seen := survey.seen.get(want.name))
        for operation in _NEEDED
        if not seen.may(operation)
    }
    if any(survey.hidden(want.name) for want in wanted):
        lacking |= {"CREATE", "READ", "WRITE", "DESCRIBE", "DESCRIBE_CONFIGS"}
    if lacking:
        words = [_word(operation) for operation in sorted(lacking)]
        text = f"{principal_of(access)} lacks the right to {_list(words)} on topics that begin with {site.begins}"
        yield Finding(RIGHTS, text, allow(access, words, "topic", [site.begins]))


def sources_wrong(access: KafkaAccess, site: Site, survey: Survey, visible: Iterable[str]) -> Iterator[Finding]:
    """Which source topics are not there, or may not be read."""
    known = sorted(name for name in visible if not name.startswith(("__", site.begins)))
    forbidden = [name for name, seen in survey.seen.items() if name in site.sources and not seen.may("READ")]
    for name in site.sources:
        if survey.missing(name):
            close = nearest(name, known)
            seen = f"did you mean '{close}'?" if close else f"topics that we may see: {_list(known[:10]) or 'none'}"
            move = f"correct the input; coordwatch never creates a source ({seen})"
            yield Finding(SOURCES, f"there is no topic '{name}'", move)
        elif survey.hidden(name):
            forbidden.append(name)
    if forbidden:
        text = f"{principal_of(access)} may not read {_list(forbidden)}, if it is there at all"
        yield Finding(RIGHTS, text, allow(access, ["Read"], "topic", forbidden))


def letter_bytes(sources: Iterable[str], seen: Mapping[str, Seen]) -> int:
    """The largest record of any source, with what a dead letter adds to it."""
    sizes = [seen[name].number("max.message.bytes") or 0 for name in sources if name in seen]
    return max(sizes, default=0) + LETTER_HEADERS


def _word(operation: str) -> str:
    """An operation as kafka-acls spells it."""
    return "".join(part.capitalize() for part in operation.split("_"))


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)
