"""Pace: a few alerts are told one by one, a storm is gathered and told as one message that says what it holds.

What enters: a channel's pace, its window, the present.
What leaves: the window after one alert, and the gathering that the alert joins, if any.
The next room: `plan`, which makes the messages.
"""

from dataclasses import dataclass, replace

from coordwatch.notify.channel import Pace

_NEVER = -(1 << 62)


@dataclass(frozen=True, slots=True)
class Window:
    """How much a channel was told lately: `singles` since `began`, and the newest gathering, open until `until`.

    `folds` is how many gatherings followed each other without a calm between. Units: microseconds since 1970 UTC
    """

    began: int = _NEVER
    singles: int = 0
    fold: str | None = None
    until: int = _NEVER
    folds: int = 0


def paced(window: Window, pace: Pace, now: int, subject: str) -> tuple[Window, str | None]:
    """The window after one more alert; and the gathering that it joins, None when it is told by itself.

    Takes: `subject`, what a gathering that begins here is called after
    Units: microseconds since 1970 UTC
    """
    if window.fold is not None and now < window.until:
        return window, window.fold
    stormy = window.fold is not None and now - window.until < pace.per
    if not stormy:
        if now - window.began >= pace.per:
            window = replace(window, began=now, singles=0)
        window = replace(window, fold=None, folds=0)
        if window.singles < pace.singles:
            return replace(window, singles=window.singles + 1), None
    lasts = min(pace.gather << min(window.folds, 20), max(pace.gather, pace.gather_most))
    name = f"many:{now}:{subject}"
    return replace(window, fold=name, until=now + lasts, folds=window.folds + 1), name
