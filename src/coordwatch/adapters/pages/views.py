"""Saved views: addresses of the inbox with a name, those that ship and those that people keep.

What enters: the inbox's query, the views that were kept.
What leaves: a choice for each, and the address that is kept under a name.
The next room: `inbox`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from coordwatch.adapters.inbox_query import SHIPPED, VIEW_NAME_MAX, ListQuery, query_of
from coordwatch.ports import VIEWS_MOST, SavedView, Shelf


@dataclass(frozen=True, slots=True)
class ViewChoice:
    """One saved view: its name, its address, whether it is the one shown; `name` is empty when it cannot be removed."""

    word: str
    address: str
    is_here: bool
    name: str = ""


def view_choices(query: ListQuery, kept: Sequence[tuple[str, Mapping[str, str]]] = ()) -> list[ViewChoice]:
    """Every saved view as a link, those that ship first. Takes: `kept` as (name, parameters of the address)."""
    here = query.address()
    shipped = [_choice(name, values, here, "") for name, values in SHIPPED.items()]
    return [*shipped, *(_choice(name, values, here, name) for name, values in kept)]


def _choice(word: str, values: Mapping[str, str], here: str, name: str) -> ViewChoice:
    address = query_of(values).address()
    return ViewChoice(word, address, address == here, name)


def keep_or_drop(shelf: Shelf, form: Mapping[str, str], back: str, by: str, now: int) -> str:
    """Keep the view at `back` under a name, or let one go; gives why not, or nothing. Units: `now` in microseconds."""
    name = " ".join(form.get("name", "").split())[:VIEW_NAME_MAX]
    if form.get("verb") == "drop":
        shelf.drop_view(name, by, now)
        return ""
    if not name:
        return "A view needs a name. Write one beside the button."
    if name in SHIPPED:
        return f"There is a view called {name} that ships with coordwatch. Take another name."
    query = query_of(dict(parse_qsl(urlsplit(back).query)))
    if shelf.keep_view(SavedView(name, dict(query.values), by, now)):
        return ""
    return f"There are {VIEWS_MOST} saved views already. Remove one first: open it, then its button."
