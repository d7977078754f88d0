"""Inferring a mapping: records in, a Proposal out, made of what each room before it found.

What enters: Records of one tool and its name. What leaves: a Proposal. The next room: `writing`.
"""

from collections.abc import Sequence

from coordwatch.sources.infer.choose import choose_identifiers, choose_ids, choose_refs, choose_times, own_id, paths_of
from coordwatch.sources.infer.meaning import choose_discriminator, context_of, family_of, guess_events, noun_of
from coordwatch.sources.infer.peeling import peel_records
from coordwatch.sources.infer.proposal import Guess, Proposal
from coordwatch.sources.infer.shapes import masked
from coordwatch.sources.infer.survey import FieldSeen, Survey, path_of, survey
from coordwatch.sources.record import Record


def propose(records: Sequence[Record], source: str) -> Proposal:
    """Propose a mapping for the records of a tool."""
    peeled = peel_records(records)
    seen = survey(peeled.pieces)
    times = choose_times(seen)
    identifiers, doubtful = choose_identifiers(seen, source)
    taken = paths_of([*times, *identifiers])
    ids = choose_ids(seen, taken)
    refs = choose_refs(seen, taken | paths_of(ids[:1]))
    context = context_of(refs, [one.type or "" for one in identifiers])
    field = choose_discriminator(seen, context)
    noun = noun_of(field)
    if noun is not None and noun not in refs:
        itself = own_id(seen, taken | paths_of(ids[:1]))
        refs |= {} if itself is None else {noun: itself}
    events = guess_events(field, peeled.pieces, refs, context)
    return Proposal(
        source,
        family_of(events),
        seen.pieces,
        peeled.unread,
        tuple(peeled.wrappers),
        tuple(peeled.json_fields),
        tuple(peeled.named),
        None if peeled.split is None else path_of([peeled.split]),
        ids,
        _digest(field, times, identifiers, refs),
        times,
        tuple(identifiers),
        tuple(doubtful),
        refs,
        None if field is None else _of_words(field),
        events,
        _unused(seen, [*times, *identifiers, *doubtful, *ids, *refs.values()], field),
    )


def _digest(
    field: FieldSeen | None, times: Sequence[Guess], identifiers: Sequence[Guess], refs: dict[str, Guess]
) -> tuple[str, ...]:
    """What together is a name for an event, when it has none of its own."""
    parts = [] if field is None else [field.path]
    parts += [one.path for one in times[:1]]
    parts += [one.path for one in sorted(refs.values(), key=lambda one: -one.confidence)[:2]]
    parts += [one.path for one in identifiers[:1]]
    return tuple(dict.fromkeys(parts))


def _of_words(field: FieldSeen) -> Guess:
    """Words that tell events apart are no secret: they are shown as they are."""
    return Guess(field.path, 0.8, tuple(str(value) for value in field.examples))


def _unused(seen: Survey, used: Sequence[Guess], field: FieldSeen | None) -> list[str]:
    """The fields that were chosen for nothing, with one masked value each."""
    paths = paths_of(used) | ({field.path} if field is not None else set())
    rest = [one for one in seen.fields.values() if one.path not in paths and one.values]
    rest.sort(key=lambda one: (-one.pieces, one.depth, one.path))
    return [f"{one.path}: {masked(one.examples[0])}" for one in rest[:60]]
