"""The sheet that a picture is drawn on: what is painted, what is written, and where there is still room for words.

What enters: a scale and the places of the lanes.
What leaves: pieces of SVG in paint order, texts above all of them.
The next room: `timeline`, which draws on it.
"""

from dataclasses import dataclass, field

from coordwatch.adapters.pages.scale import Scale
from coordwatch.adapters.pages.svg import length_of, text_at


@dataclass(slots=True)
class Canvas:
    """A picture being drawn: pieces in paint order, texts on top, and which stretches of a text row are taken."""

    scale: Scale
    left: float
    right: float
    width: float
    lane_height: float
    lanes: dict[str, float]
    bottom: float
    is_wide: bool
    parts: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    taken: dict[float, list[tuple[float, float]]] = field(default_factory=dict)

    def claim(self, y: float, start: float, end: float) -> bool:
        """Take a stretch of the row at `y` unless some of it is taken."""
        row = self.taken.setdefault(y, [])
        if any(start < right + 6 and left - 6 < end for left, right in row):
            return False
        row.append((start, end))
        return True

    def label(self, x: float, y: float, text: str, css: str) -> bool:
        """Write a text around a place, moved inside the picture; False when there is no room."""
        length = length_of(text, bold="act" in css or "missing" in css)
        start = min(max(x - length / 2, self.left - 8), self.width - length - 2)
        if start < min(self.left - 9, 0) or not self.claim(y, start, start + length):
            return False
        self.texts.append(text_at(start, y, text, css))
        return True
