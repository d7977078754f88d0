"""The few shapes that pictures are made of, as SVG text; every word in them is escaped.

What enters: places in pixels, words.
What leaves: SVG elements with classes and no styles.
The next room: `timeline`.
"""

import unicodedata
from collections.abc import Sequence
from html import escape

_LETTER, _BOLD = 6.8, 7.5


def patterns(name: str) -> str:
    """Grace leans one way and linger the other, so that they differ without colour."""
    return (
        f'<defs><pattern id="{name}-grace" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<path class="hatch" d="M0 6L6 0"/></pattern>'
        f'<pattern id="{name}-linger" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<path class="hatch" d="M0 0L6 6"/></pattern></defs>'
    )


def line(start: tuple[float, float], end: tuple[float, float], css: str) -> str:
    """A straight line."""
    return f'<path class="{css}" d="M{digits(start[0])} {digits(start[1])}L{digits(end[0])} {digits(end[1])}"/>'


def text_at(x: float, y: float, text: str, css: str) -> str:
    """A text that begins at a place."""
    return f'<text class="{css}" x="{digits(x)}" y="{digits(y)}">{safe(text)}</text>'


def length_of(text: str, *, bold: bool = False) -> float:
    """About how long a text will be; fonts differ, so this errs on the long side. Gives: pixels."""
    return len(text) * (_BOLD if bold else _LETTER)


def cut(text: str, room: float) -> str:
    """A text cut to a room, with an ellipsis where it was cut."""
    most = max(int(room / _LETTER), 4)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def box(left: float, top: float, size: tuple[float, float], corner: float, css: str) -> str:
    """A rectangle with round corners. Takes: `size` is its width and height."""
    return (
        f'<rect class="{css}" x="{digits(left)}" y="{digits(top)}" width="{digits(size[0])}" height="{digits(size[1])}" '
        f'rx="{digits(corner)}"/>'
    )


def span_words(numbers: Sequence[str]) -> str:
    """The numbers of several marks drawn as one: `4–9`, or how many there are."""
    known = [int(number) for number in numbers if number.isdecimal()]
    if not known:
        return ""
    if known == list(range(known[0], known[0] + len(known))):
        return f"{known[0]}–{known[-1]}"
    return f"{len(known)} ×"


def digits(number: float) -> str:
    """A coordinate, with one digit where it needs one."""
    return f"{number:.1f}".removesuffix(".0")


def safe(text: str) -> str:
    """A text that can neither end its element nor turn the letters around it."""
    return escape("".join(letter for letter in text if not unicodedata.category(letter).startswith("C")))


def css_word(word: str) -> str:
    """A word that can stand in a class."""
    return "".join(letter for letter in word if letter.isalnum() or letter in "-_") or "none"
