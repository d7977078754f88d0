"""States: the episodes in which a state held, from the facts that open, reopen and close it (RULES 14 to 18).

Facts of one customer enter; episodes leave, latest first, for `rules/evaluate.py` to ask whether one is felt at an act.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from coordwatch.context.fact import MASK, TIME, Fact, each_value
from coordwatch.context.reference import combinations_of
from coordwatch.rules.keys import Bound, qualifies
from coordwatch.rules.plan import Env, StateStep, Take

NEVER = 2**62
_OPENING, _REOPENING, _CLOSING = 0, 1, 2
Key = tuple[object, ...]
Part = tuple[int, int, Fact, Take]


@dataclass(slots=True)
class Episode:
    """One stretch of a state for one key: held in [begin, end), closed by an event at `closed_at` if at all."""

    begin: Fact
    end: int = NEVER
    closed_at: int | None = None

    def is_live(self, time: int) -> bool:
        """Whether an event at this instant finds the state open; at the instant it expires it still is."""
        return self.closed_at is None and time <= self.end


def episodes(state: StateStep, facts: Sequence[Fact], act: Fact, env: Env, bound: Bound) -> list[Episode]:
    """Every episode of a state over all keys, the latest beginning first.

    Takes: `facts` that carry one of the state's bits, in order; the act itself is passed over (RULES 9)
    """
    keyed: dict[Key, list[Part]] = {}
    for part in _parts(state, facts, act, env, bound):
        for key in combinations_of([each_value(part[2][slot]) for slot in part[3].pair]):
            keyed.setdefault(key, []).append(part)
    done: list[Episode] = []
    for parts in keyed.values():
        done += _Walk(state, env).through(parts)
    done.sort(key=lambda episode: episode.begin[:3], reverse=True)
    return done


def _parts(state: StateStep, facts: Sequence[Fact], act: Fact, env: Env, bound: Bound) -> list[Part]:
    """Facts with the part they play; at one instant openings come first and closings last (RULES 16)."""
    parts: list[Part] = []
    for fact in facts:
        if fact is act:
            continue
        mask = fact[MASK]
        for take in state.opened:
            if mask & take.bit and qualifies(take, fact, env, bound):
                parts.append((fact[TIME], _OPENING, fact, take))
                break
        for phase, takes in ((_REOPENING, state.reopened), (_CLOSING, state.closed)):
            parts += [(fact[TIME], phase, fact, take) for take in takes if mask & take.bit]
    parts.sort(key=itemgetter(0, 1))
    return parts


class _Walk:
    """Walks the parts of one key, instant by instant.

    Of several openings at one instant each may be the one that began the episode, so that an order of ids never
    decides (RULES 3); the walk therefore holds every episode that could be the present one, one for each beginning.
    """

    def __init__(self, state: StateStep, env: Env) -> None:
        self.state, self.env = state, env
        self.present: list[Episode] = []
        self.done: list[Episode] = []

    def through(self, parts: Iterable[Part]) -> list[Episode]:
        """Every episode, in order of their beginnings."""
        for (time, phase), group in groupby(parts, key=itemgetter(0, 1)):
            if phase == _OPENING:
                self._open(time, [part[2] for part in group])
            elif phase == _REOPENING:
                self._reopen(time, list(group))
            else:
                self._close(time, list(group))
        return self.done

    def _open(self, time: int, openings: Sequence[Fact]) -> None:
        live = [episode for episode in self.present if episode.is_live(time)]
        for episode in live:
            self._extend(episode, time)
        all_live = live and len(live) == len(self.present)
        self.present = live if all_live else [*live, *(self._begin(fact, time) for fact in openings)]

    def _reopen(self, time: int, group: Sequence[Part]) -> None:
        after: list[Episode] = []
        fresh: dict[tuple[str, str], Episode] = {}
        for episode in self.present:
            reopenings = [part[2] for part in group if self._true(part[3], part[2], episode)]
            if not reopenings or episode.is_live(time):
                if reopenings:
                    self._extend(episode, time)
                after.append(episode)
                continue
            for fact in reopenings:
                if fact[1:3] not in fresh:
                    fresh[fact[1:3]] = self._begin(fact, time)
        self.present = [*after, *fresh.values()]

    def _close(self, time: int, group: Sequence[Part]) -> None:
        for episode in self.present:
            if episode.is_live(time) and any(self._true(part[3], part[2], episode) for part in group):
                episode.end = episode.closed_at = time

    def _begin(self, fact: Fact, time: int) -> Episode:
        episode = Episode(fact)
        self._extend(episode, time)
        self.done.append(episode)
        return episode

    def _extend(self, episode: Episode, time: int) -> None:
        if self.state.at_most is not None:
            episode.end = time + self.state.at_most

    def _true(self, take: Take, fact: Fact, episode: Episode) -> bool:
        """Whether a closing's or reopening's condition holds; the state's own name is the episode's beginning."""
        if take.where is None:
            return True
        self.env[self.state.at] = episode.begin
        return bool(take.where(fact, self.env))
