"""Writing: a Proposal as the YAML of a mapping, with its confidence and examples as remarks beside each line.

What enters: a Proposal. What leaves: text that `parse_mappings` reads as it is. The next room: a person, who corrects it.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from coordwatch.sources.infer.meaning import refs_for
from coordwatch.sources.infer.proposal import EventGuess, Guess, Proposal

_WIDTH = 118


def mapping_yaml(proposal: Proposal, remarks: Sequence[str] = ()) -> str:
    """The mapping as text; `remarks` are told at its top."""
    lines = [
        *_head(proposal, remarks),
        *_envelope(proposal),
        *_id(proposal),
        *_times(proposal),
        *_identifiers(proposal),
    ]
    lines += [*_refs(proposal), "", *_events(proposal), *_unused(proposal)]
    # What a remark shows may hold anything; what is quoted is escaped already.
    shown = ("".join(one if one.isprintable() else "?" for one in line.rstrip()) for line in lines)
    return "\n".join(shown) + "\n"


def _payloads(number: int) -> str:
    return "1 payload" if number == 1 else f"{number:,} payloads"


def _head(proposal: Proposal, remarks: Sequence[str]) -> Iterator[str]:
    yield f"# A first mapping for '{proposal.source}', read off {_payloads(proposal.pieces)}. It runs as it is; look at every line once:"
    yield "# a number says how sure it is (1 is certain), and three values, shortened, show why. Then add tests: with examples."
    for remark in remarks:
        yield f"# {remark}"
    yield ""
    yield f"source: {proposal.source}"
    yield f"family: {proposal.family}"
    yield f"summary: Events of {proposal.source}."


def _envelope(proposal: Proposal) -> Iterator[str]:
    wrappers = [*proposal.unwrap, *(f"{{json_field: {_quoted(name)}}}" for name in proposal.json_fields)]
    if proposal.named:
        wrappers.append(f"{{named: [{', '.join(map(_quoted, proposal.named))}]}}")
    if wrappers:
        yield f"unwrap: [{', '.join(wrappers)}]"
    if proposal.split:
        yield f"split: {_quoted(proposal.split)}"


def _id(proposal: Proposal) -> Iterator[str]:
    yield ""
    digests = [f"{{digest: [{', '.join(map(_quoted, proposal.digest))}]}}"] if proposal.digest else []
    # Whatever else is missing, a payload is always its own name.
    digests.append("{digest: [$]}")
    if not proposal.ids:
        yield f"id: {{first_of: [{', '.join(digests)}]}}  # no field tells every event apart; these together name one"
        return
    best = proposal.ids[0]
    yield f"id: {{first_of: [{', '.join([_quoted(best.path), *digests])}]}}  # {_why(best)}"
    for other in proposal.ids[1:]:
        yield f"# or: {other.path}  # {_why(other)}"


def _times(proposal: Proposal) -> Iterator[str]:
    if not proposal.times:
        yield "# time: nothing looks like the time of an event: the time at which the record arrived is taken"
        return
    yield "time:"
    for guess in proposal.times:
        zone = ", zone: UTC" if guess.format == "local" else ""
        remark = "; it names no zone: which one is it?" if guess.format == "local" else ""
        yield f"  - {{path: {_quoted(guess.path)}, format: {guess.format}{zone}}}  # {_why(guess)}{remark}"


def _identifiers(proposal: Proposal) -> Iterator[str]:
    yield "identifiers:" if proposal.identifiers else "# identifiers: nothing in these payloads names a customer"
    for guess in proposal.identifiers:
        yield f"  - {{type: {guess.type}, path: {_quoted(guess.path)}}}  # {_why(guess)}"
    for guess in proposal.doubtful:
        yield f"  # - {{type: {guess.type}, path: {_quoted(guess.path)}}}  # perhaps not the customer; {_why(guess)}"


def _refs(proposal: Proposal) -> Iterator[str]:
    """Refs that some event may carry; each event takes over those that its type knows."""
    types = {one.type for one in proposal.events if one.type is not None}
    kept = {
        name: guess
        for name, guess in proposal.refs.items()
        if any(name in refs_for(type_, proposal.refs) for type_ in types)
    }
    if kept:
        yield "refs:"
        for name, guess in kept.items():
            yield f"  {name}: {{path: {_quoted(guess.path)}{', first: true' if '[*]' in guess.path else ''}}}  # {_why(guess)}"


def _events(proposal: Proposal) -> Iterator[str]:
    field = proposal.discriminator
    told = [one for one in proposal.events if one.already_told_by is not None]
    if field is not None and told:
        yield "drop_if:"
        yield f"  - {{when: {{{_quoted(field.path)}: {_list(told)}}}, reason: already_reported}}  # '{told[0].already_told_by}' says so first"
        yield ""
    yield "emit:"
    usable = [one for one in proposal.events if one.type is not None and not one.missing]
    if field is None or not usable:
        yield from _placeholder()
    else:
        yield f"  # Events are told apart by {field.path}."
        for same in _alike(usable):
            yield from _emission(field, same)
    for one in proposal.events:
        if one.type is not None and one.missing:
            yield f"  # {_quoted(one.value)} ({one.pieces:,}) may be {one.type}; it needs {', '.join(one.missing)}: say where that stands."
        elif one.type is None and one.already_told_by is None:
            yield f"  # {_quoted(one.value)} ({one.pieces:,}) is unknown: give it an event, or name it under drop_if."


def _alike(events: Iterable[EventGuess]) -> Iterator[list[EventGuess]]:
    def key(one: EventGuess) -> tuple[str, str]:
        return one.type or "", json.dumps(dict(one.set or {}), sort_keys=True)

    for _, same in groupby(sorted(events, key=key), key):
        yield list(same)


def _emission(field: Guess, same: list[EventGuess]) -> Iterator[str]:
    first = same[0]
    sure = min(one.confidence for one in same)
    yield f"  - event: {first.type}  # {sure:.2f}; {_payloads(sum(one.pieces for one in same))}"
    yield f"    when: {{{_quoted(field.path)}: {_list(same)}}}"
    if first.set:
        yield f"    constant: {{{', '.join(f'{name}: {_quoted(value)}' for name, value in first.set.items())}}}"


def _placeholder() -> Iterator[str]:
    """Something that runs, and that nobody takes for finished."""
    yield "  # Nothing tells what these events are. This stands here so that the file can be read; it never fires."
    yield "  - event: service.contact.ended"
    yield "    when: {$topic: no-topic-has-this-name}"
    yield "    refs: {contact: $topic}"


def _unused(proposal: Proposal) -> Iterator[str]:
    if proposal.unused:
        yield ""
        yield "# Left behind, most frequent first:"
        yield from (f"#   {line[:_WIDTH]}" for line in proposal.unused)


def _why(guess: Guess) -> str:
    return f"{guess.confidence:.2f}: {', '.join(guess.examples)}".replace("\n", " ")[:160]


def _list(events: Sequence[EventGuess]) -> str:
    words = [_quoted(one.value) for one in events]
    return words[0] if len(words) == 1 else f"[{', '.join(words)}]"


def _quoted(text: str) -> str:
    """A text as YAML reads it back, whatever stands in it."""
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in json.dumps(text, ensure_ascii=False))
