"""The contrast of every pair of colours that the style sheet puts together, computed from its own tokens."""

import re
from pathlib import Path

import pytest

from coordwatch.adapters.pages import shell
from coordwatch.adapters.pages.shell import severity_mark

CSS = Path(shell.__file__).with_name("static").joinpath("pages.css").read_text(encoding="utf-8")
SEVERITIES = ("critical", "high", "medium", "low")
WORDS_ON = {
    "background": ("text", "muted", "accent", "good", *SEVERITIES),
    "surface": ("text", "muted", "accent", *SEVERITIES),
    "row": ("text", "muted", "accent", *SEVERITIES),
    "caution": ("text",),
    "accent": ("on-accent",),
    # The number inside a filled mark is written in the colour of the page.
    **dict.fromkeys(("text", *SEVERITIES), ("background",)),
    **{f"shade-{number}": ("text",) for number in range(1, 6)},
}
MARKS = ("strong-line", "accent", "text", "muted", "good", *SEVERITIES)


def tokens(block: str) -> dict[str, str]:
    """The colours set after the given selector."""
    _, _, rest = CSS.partition(block)
    assert rest, f"the style sheet has no block {block}"
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6})", rest[: rest.index("}")]))


LIGHT = tokens(':root, [data-theme="light"] {')
DARK = tokens('\n[data-theme="dark"] {')
DARK_BY_SYSTEM = tokens(':root:not([data-theme="light"]) {')
PAPER = tokens("  :root, [data-theme] {")


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The ratio of two colours, 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_ratio_is_computed_as_the_standard_says() -> None:
    """Black on white is 21; the grey of the standard's example is 4.54."""
    assert pytest.approx(21.0) == contrast("#000", "#ffffff")
    assert pytest.approx(4.54, abs=0.01) == contrast("#767676", "#ffffff")


@pytest.mark.parametrize("theme", [LIGHT, DARK, PAPER], ids=["light", "dark", "paper"])
def test_words_can_be_read(theme: dict[str, str]) -> None:
    """4.5 to 1 for every text on every ground it stands on."""
    poor = {
        (ground, word): round(ratio, 2)
        for ground, words in WORDS_ON.items()
        for word in words
        if ground in theme and word in theme
        if (ratio := contrast(theme[ground], theme[word])) < 4.5
    }
    assert {} == poor


@pytest.mark.parametrize("theme", [LIGHT, DARK, PAPER], ids=["light", "dark", "paper"])
def test_marks_can_be_seen(theme: dict[str, str]) -> None:
    """3 to 1 for every shape, border of a control and state of a source."""
    poor = {mark: round(ratio, 2) for mark in MARKS if (ratio := contrast(theme["background"], theme[mark])) < 3}
    assert {} == poor


def test_both_ways_into_the_dark_are_the_same() -> None:
    """The switch and the system's wish give one and the same theme; no theme lacks a token."""
    assert DARK == DARK_BY_SYSTEM
    assert set(LIGHT) == set(DARK)
    assert set(LIGHT) == set(PAPER)


def test_paper_is_black_and_white() -> None:
    """No hue: the three parts of every colour are equal."""
    hues = {
        name: colour
        for name, colour in PAPER.items()
        if len({colour[1 + index * (len(colour) // 3) : 1 + (index + 1) * (len(colour) // 3)] for index in range(3)})
        > 1
    }
    assert {} == hues


def test_colours_are_only_named_as_tokens() -> None:
    """A colour written outside the token blocks would escape these checks; so would a shadow or a gradient."""
    outside = re.sub(r"--[a-z0-9-]+: [^;]+;", "", CSS)
    assert [] == re.findall(r"#[0-9a-f]{3,8}\b(?![^{]*\{)", outside)
    assert "gradient" not in CSS
    assert [] == [shadow for shadow in re.findall(r"box-shadow: ([^;]+)", CSS) if not shadow.startswith("inset 0 -1px")]


def test_severities_differ_without_colour() -> None:
    """Four words with four shapes; a word that nobody knows still gets a shape."""
    marks = [str(severity_mark(word)) for word in SEVERITIES]
    shapes = [re.findall(r' d="([^"]+)"', mark)[0] for mark in marks]
    assert 4 == len(set(shapes))
    assert all(f"{word}</span>" in mark for word, mark in zip(SEVERITIES, marks, strict=True))
    assert "unheard</span>" in str(severity_mark("unheard"))
