"""The next move for a word that is not known.

What enters: the word, and the words that are known. What leaves: the nearest of them, as long as looking is cheap.
The next room: the problem that the word is told with.
"""

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
