"""Numbers, durations and instants as people say them.

What enters: microseconds, counts, attributions.
What leaves: the short words that sentences, pages and messages share.
The next room: `say`, which puts them into a rule's sentence.
"""

from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND, format_time
from coordwatch.rules.detection import Attribution

THIN_SPACE = "\u2009"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def duration_words(length: int) -> str:
    """A duration as people say it: `45 s`, `12 min`, `2 h 10 min`, `3 days`.

    Units: microseconds; the sign is dropped
    """
    rest = abs(length)
    if rest < MINUTE:
        return "less than a second" if 0 < rest < SECOND else f"{rest // SECOND} s"
    if rest < 10 * MINUTE:
        return _two(rest // MINUTE, "min", rest % MINUTE // SECOND, "s")
    if rest < 2 * DAY:
        return _two(rest // HOUR, "h", rest % HOUR // MINUTE, "min")
    days = f"{number_words(rest // DAY)} days"
    hours = rest % DAY // HOUR
    return f"{days} {hours} h" if hours and rest < 14 * DAY else days


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    words = [f"{count} {unit}" for count, unit in ((large, large_unit), (small, small_unit)) if count]
    return " ".join(words)


def number_words(number: int) -> str:
    """A count with thin spaces between the thousands."""
    return f"{number:,}".replace(",", THIN_SPACE)


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
