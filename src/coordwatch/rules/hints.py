"""The next move for a word that is not known: the nearest word that is, as long as looking for it is cheap."""

from collections.abc import Iterable, Sequence

from coordwatch.documents import did_you_mean
from coordwatch.errors import Problem

# Beyond these a file is hostile or no rule file at all; comparing every word with every other would take minutes.
_WORD_MAX = 64
_PROBLEMS_MAX = 100


def hint_for(word: str, choices: Iterable[str], problems: Sequence[Problem]) -> str | None:
    """The nearest known word as a hint; none for a very long word, or when there are very many problems already."""
    if len(word) > _WORD_MAX or len(problems) > _PROBLEMS_MAX:
        return None
    return did_you_mean(word, choices)
