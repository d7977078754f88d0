"""Meaning: which field tells events apart, and which canonical event each of its values probably is.

What enters: a Survey, the refs that were found. What leaves: the field, and an EventGuess for each value. The next room:
`writing`.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import REFS
from coordwatch.sources.infer.proposal import EventGuess, Guess
from coordwatch.sources.infer.shapes import EMAIL, HASH, TIME_FORMATS, UUID, WORD
from coordwatch.sources.infer.survey import FieldSeen, Survey
from coordwatch.sources.infer.words import BY_NOUN, FAMILIES, NOUNS, REF_NOUNS, Meaning
from coordwatch.sources.paths import Scope, compile_path, parse_path

VALUES_MAX = 60
_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NAMES = {
    "event": 1.0, "type": 0.85, "topic": 0.95, "action": 0.75, "activity": 0.8, "kind": 0.6, "status": 0.55, "name": 0.45,
    "object": 0.4, "operation": 0.5, "state": 0.45, "detail": 0.5, "op": 0.35, "notification": 0.7, "record": 0.7,
}  # fmt: skip


def choose_discriminator(survey: Survey, context: str) -> FieldSeen | None:
    """The field whose values tell events apart, None when there is none."""
    scored = [(score, one) for one in survey.fields.values() if (score := _score(one, survey, context)) >= 0.45]
    return max(scored, key=lambda pair: (pair[0], -pair[1].depth, -len(pair[1].path)))[1] if scored else None


def _score(one: FieldSeen, survey: Survey, context: str) -> float:
    few = 0 < len(one.distinct) <= (VALUES_MAX if survey.pieces <= VALUES_MAX else survey.pieces * 0.5)
    if one.listed or not few or not one.words or one.share(WORD) < 0.95 or survey.covered(one) < 0.3:
        return 0.0
    if any(one.share(name) > 0.2 for name in (EMAIL, HASH, UUID, *TIME_FORMATS)) or one.words[-1] in ("id", "version"):
        return 0.0
    name = max((_NAMES.get(word, 0.0) for word in one.words[-2:]), default=0.0)
    if name == 0.0:
        return 0.0
    known = sum(_meaning(value, context)[0] is not None for value in map(str, one.distinct.values())) / len(
        one.distinct
    )
    depth = 0.08 * max(one.depth - 1, 0) if not one.path.startswith("$") else 0.0
    sure = name * 0.45 + known * 0.45 + (0.12 if len(one.distinct) > 1 else 0.0) - depth
    return sure * math.sqrt(survey.covered(one))


def context_of(refs: Mapping[str, Guess], identified_by: Iterable[str]) -> str:
    """What the payloads are about, when their values do not say: the noun of the ref that is surest."""
    named = [(refs[ref].confidence, -place, ref) for place, ref in enumerate(REF_NOUNS) if ref in refs]
    best = max(named, default=None)
    if best is not None and best[0] >= 0.5:
        return best[2]
    return "message" if "email" in set(identified_by) else "order"


def guess_events(
    field: FieldSeen | None, pieces: Iterable[Scope], refs: Mapping[str, Guess], context: str
) -> tuple[EventGuess, ...]:
    """For each value, most frequent first, the event that it probably is."""
    if field is None:
        return ()
    look = compile_path(parse_path(field.path))
    counts = Counter(value for piece in pieces if isinstance(value := look(piece), str) and value.strip())
    guesses = [_guess(value, count, refs, context) for value, count in counts.most_common(VALUES_MAX)]
    return _without_repeats(guesses)


def _guess(value: str, count: int, refs: Mapping[str, Guess], context: str) -> EventGuess:
    meaning, sure = _meaning(value, context)
    if meaning is None:
        return EventGuess(value, None, 0.0, count)
    given = {*refs, *meaning.set, "category", "identifiers"}
    missing = tuple(name for name in TYPES[meaning.type].required if name not in given)
    return EventGuess(value, meaning.type, sure, count, meaning.set, missing)


def _without_repeats(guesses: list[EventGuess]) -> tuple[EventGuess, ...]:
    """Of two values that both say that a message was sent, the one that says it was processed is the event."""
    order = {"processed": 0, "sent": 1, "send": 2, "accepted": 3, "injection": 3, "dispatched": 3}
    senders = [one for one in guesses if one.type == "marketing.message.sent"]
    if len(senders) < 2:
        return tuple(guesses)
    first = min(senders, key=lambda one: order.get(_words(one.value)[-1], 9) if _words(one.value) else 9)
    told = {one.value for one in senders if one is not first and {"delivered", "delivery"} & set(_words(one.value))}
    return tuple(
        EventGuess(one.value, None, one.confidence, one.pieces, already_told_by=first.value)
        if one.value in told
        else one
        for one in guesses
    )


def _words(value: str) -> list[str]:
    return [word.lower() for word in _SPLIT.findall(value)]


def _meaning(value: str, context: str) -> tuple[Meaning | None, float]:
    """The meaning of a value: by the noun it names itself, else by what the payloads are about."""
    words = _words(value)
    joined = "".join(words)
    named = [NOUNS[word] for word in words if word in NOUNS]
    for noun, sure in [(noun, 0.9) for noun in named] or [(context, 0.7)]:
        for meaning in BY_NOUN.get(noun, ()):
            if joined in meaning.words or meaning.words & set(words):
                return meaning, sure if len(words) < 5 else sure - 0.2
    return None, 0.0


def family_of(events: Iterable[EventGuess]) -> str:
    """The family of the tool, by what most of its events are."""
    counts: Counter[str] = Counter()
    for one in events:
        if one.type is not None:
            counts[FAMILIES.get(one.type.partition(".")[0], "other")] += one.pieces
    return counts.most_common(1)[0][0] if counts else "other"


def noun_of(field: FieldSeen | None) -> str | None:
    """The ref that the values themselves name most often, None when they name none: `ticket.created` is about a case."""
    values = [] if field is None else [str(value) for value in field.distinct.values()]
    counts = Counter(NOUNS[word] for value in values for word in set(_words(value)) if NOUNS.get(word) in REFS)
    return counts.most_common(1)[0][0] if counts else None


def refs_for(type_name: str, refs: Mapping[str, Guess]) -> dict[str, Guess]:
    """The refs that an event of this type may carry."""
    fields = TYPES[type_name].fields
    return {name: guess for name, guess in refs.items() if name in fields and name in REFS}
