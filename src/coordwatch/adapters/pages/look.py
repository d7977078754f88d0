"""How one person wants the pages: light or dark, keys on or off; kept in a cookie, so that it works without a script.

What enters: the cookie, or the form at the foot of every page.
What leaves: a Look.
The next room: `shell`, which writes it into the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

COOKIE = "coordwatch_look"
THEMES = ("auto", "light", "dark")
KEYS = ("on", "off")


@dataclass(frozen=True, slots=True)
class Look:
    """A theme (auto follows the system) and whether single keys do something."""

    theme: str = "auto"
    keys: str = "on"

    @property
    def cookie(self) -> str:
        """The cookie's value."""
        return f"{self.theme}.{self.keys}"


def look_of(cookie: str | None) -> Look:
    """What a cookie says; anything unknown is the default."""
    theme, _, keys = (cookie or "").partition(".")
    return Look(theme if theme in THEMES else "auto", keys if keys in KEYS else "on")


def changed_look(look: Look, form: Mapping[str, str]) -> Look:
    """The look after a form that names a theme, keys, or both."""
    theme, keys = form.get("theme"), form.get("keys")
    if theme in THEMES:
        look = replace(look, theme=theme)
    if keys in KEYS:
        look = replace(look, keys=keys)
    return look
