"""Durations and counts as people say them, for sentences, pages and messages.

Microseconds and counts enter; short words leave. The next rooms: `rules/explain.py` and `alerts/words.py`.
"""

from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND

THIN_SPACE = "\u2009"


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


def number_words(number: int) -> str:
    """A count with thin spaces between the thousands."""
    return f"{number:,}".replace(",", THIN_SPACE)


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    words = [f"{count} {unit}" for count, unit in ((large, large_unit), (small, small_unit)) if count]
    return " ".join(words)
