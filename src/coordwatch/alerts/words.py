"""Instants and attributions as people say them.

What enters: microseconds, counts, attributions.
What leaves: the short words that sentences, pages and messages share.
The next room: `say`, which puts them into a rule's sentence.
"""

from coordwatch.events.times import format_time
from coordwatch.events.words import duration_words
from coordwatch.rules.detection import Attribution

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def time_words(instant: int) -> str:
    """An instant for a sentence: `7 Mar 2026 14:05 UTC`.

    Units: microseconds since 1970 UTC
    """
    text = format_time(instant)
    return f"{int(text[8:10])} {_MONTHS[int(text[5:7]) - 1]} {text[:4]} {text[11:16]} UTC"


def attribution_words(attribution: Attribution, known_for: int | None) -> str:
    """Whether the acting tool could have known; empty where the question does not arise.

    Units: `known_for` in microseconds
    """
    if attribution is Attribution.COULD_NOT_KNOW:
        return "could not know"
    if attribution is Attribution.IN_FLIGHT:
        return "in flight"
    if attribution is Attribution.IGNORED:
        return "ignored" if known_for is None else f"ignored for {duration_words(known_for)}"
    return ""
