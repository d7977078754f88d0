"""Near misses: the event that came closest to what a step asked, and by how much it missed.

A step that did not hold enters; one sentence leaves, for `rules/explain.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coordwatch.context.fact import MASK, TIME, TYPE, Fact
from coordwatch.events.times import format_time
from coordwatch.events.words import duration_words
from coordwatch.rules.keys import Bound, qualifies
from coordwatch.rules.plan import EventStep, StateStep, Take
from coordwatch.rules.search import BEGINNING, Search


@dataclass(frozen=True, slots=True)
class Miss:
    """One event that was not enough: why, how near (0 is nearest), and by how much when it is a matter of time.

    Units: `by` in microseconds
    """

    fact: Fact
    why: str
    distance: int
    by: int | None = None


def nearest_miss(search: Search, step: EventStep, bound: Bound, window: tuple[int, int]) -> Miss | None:
    """The event that came closest to an event step.

    Takes: `window`, the open start and the end in which it should have happened, in microseconds since 1970 UTC
    """
    types = {take.type for take in step.takes}
    misses = [
        _miss(search, step.takes, fact, bound, window)
        for fact in search.view.facts
        if fact[TYPE] in types and fact is not search.act
    ]
    return min(misses, key=lambda miss: (miss.distance, miss.by or 0, -miss.fact[TIME]), default=None)


def _miss(search: Search, takes: Sequence[Take], fact: Fact, bound: Bound, window: tuple[int, int]) -> Miss:
    about = f"{fact[TYPE]} at {format_time(fact[TIME])}"
    own = [take for take in takes if take.type == fact[TYPE]]
    if not any(fact[MASK] & take.bit for take in own):
        return Miss(fact, f"{about} is there, but its own condition is not true", 3)
    keyed = [take for take in own if fact[MASK] & take.bit and _keys_agree(take, fact, bound)]
    if not keyed:
        return Miss(fact, f"{about} is there, but it is about another {_key_names(search, own)}", 2)
    if not any(qualifies(take, fact, search.env, bound) for take in keyed):
        return Miss(fact, f"{about} is there, but its condition over the other steps is not true", 2)
    start, end = window
    if fact[TIME] <= start:
        by = start - fact[TIME]
        return Miss(fact, f"{about} is {_too(by)} too old", 0, by)
    if fact[TIME] > end:
        by = fact[TIME] - end
        return Miss(fact, f"{about} came {_too(by)} too late", 0, by)
    return Miss(fact, f"{about} already plays another part", 1)


def _too(by: int) -> str:
    return duration_words(by) if by else "exactly at the edge, and so"


def _keys_agree(take: Take, fact: Fact, bound: Bound) -> bool:
    return qualifies(Take(take.bit, take.type, take.keys, take.pair, None), fact, [], bound)


def _key_names(search: Search, takes: Iterable[Take]) -> str:
    names = {search.rule.keys[key] for take in takes for key, _ in take.keys}
    return " or ".join(sorted(names)) or "thing"


def state_miss(search: Search, state: StateStep, bound: Bound) -> Miss | None:
    """Why no episode of a state was felt at the act, by the episode that came closest."""
    time = search.time
    misses = []
    for episode in search.view.episodes(state, search.act, search.env, bound):
        begin = episode.begin
        opened = f"{begin[TYPE]} at {format_time(begin[TIME])}"
        if begin[TIME] > time:
            by = begin[TIME] - time
            misses.append(Miss(begin, f"{opened} opened it only {duration_words(by)} after the act", 1, by))
        elif episode.closed_at is not None and episode.closed_at <= time - state.linger:
            by = time - state.linger - episode.closed_at
            what = "and its linger had passed" if state.linger else "before the act"
            ago = duration_words(time - episode.closed_at)
            misses.append(Miss(begin, f"{opened} opened it, but it was closed {ago} {what}", 0, by))
        elif time >= episode.end:
            misses.append(
                Miss(begin, f"{opened} opened it, but so long ago that it no longer counts", 0, time - episode.end)
            )
        else:
            by = begin[TIME] - (time - state.grace)
            misses.append(Miss(begin, f"{opened} opened it so shortly before that the act was in flight", 0, by))
    if misses:
        return min(misses, key=lambda miss: (miss.distance, miss.by or 0))
    own = [
        _miss(search, state.opened, fact, bound, (BEGINNING, time))
        for fact in search.view.facts
        if fact[TYPE] in {take.type for take in state.opened} and fact is not search.act
    ]
    return min(own, key=lambda miss: (miss.distance, -miss.fact[TIME]), default=None)
