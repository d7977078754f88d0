"""The campaign catalogue: what no payload carries and only the operator knows, looked up by campaign, template or tag.

What enters: one YAML file of the operator. What leaves: a Catalogue that answers "what is this message", also with
"nobody said", tables that extend those of the mappings, and facts about the tools. The next room: `emit`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import re2

from coordwatch.documents import Fields, Items, Node, Scalar, read_documents
from coordwatch.errors import DocumentError
from coordwatch.events.vocabulary import CATEGORIES, PURPOSES
from coordwatch.sources.mapping import Plain
from coordwatch.sources.reading import Reading

SELECTORS = ("campaign", "journey", "template", "tag")
_REMEMBERED_MAX = 10_000
Selection = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the operator says about the messages that fit the patterns; every selector named must fit."""

    patterns: Mapping[str, tuple[str, ...]]
    category: str | None = None
    purpose: str | None = None
    owner_team: str | None = None
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything in one catalogue file; the first entry in file order that fits wins."""

    entries: tuple[Entry, ...] = ()
    tables: Mapping[str, Mapping[str, Plain]] = field(default_factory=dict)
    tools: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def table(self, name: str, own: Mapping[str, Plain]) -> Mapping[str, Plain]:
        """Give a mapping's table as this operator has it: the mapping's own words, then the operator's over them."""
        return {**own, **self.tables.get(name, {})}


Find = Callable[[Selection], Entry | None]


def compile_catalogue(catalogue: Catalogue) -> Find:
    """Make the function that finds the entry for the values of each selector (campaign, journey, template, tag)."""
    entries = [(_fits(entry), entry) for entry in catalogue.entries]
    remembered: dict[Selection, Entry | None] = {}

    def find(selection: Selection) -> Entry | None:
        if selection in remembered:
            return remembered[selection]
        found = next((entry for fits, entry in entries if fits(selection)), None)
        if len(remembered) < _REMEMBERED_MAX:
            remembered[selection] = found
        return found

    return find


def _fits(entry: Entry) -> Callable[[Selection], bool]:
    tests = [(SELECTORS.index(name), glob_test(patterns)) for name, patterns in entry.patterns.items()]

    def fits(selection: Selection) -> bool:
        return all(any(map(test, selection[place])) for place, test in tests)

    return fits


def glob_test(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Make the test of a text against patterns in which `*` is anything and `?` one character."""
    words = "|".join("".join(_GLOB.get(letter) or re2.escape(letter) for letter in text) for text in patterns)
    expression = re2.compile(f"(?s:{words})")
    return lambda text: expression.fullmatch(text) is not None


_GLOB = {"*": ".*", "?": "."}


def parse_catalogue(text: str, path: str) -> Catalogue:
    """Read a catalogue file.

    Raises: DocumentError with every problem and its place
    """
    documents = read_documents(text, path)
    reading = Reading(path)
    catalogue = Catalogue()
    if len(documents) > 1:
        reading.problem(documents[1].place, "a catalogue is one YAML document", "put everything under one `campaigns:`")
    elif documents:
        catalogue = _catalogue(documents[0], reading)
    if reading.problems:
        raise DocumentError(reading.problems)
    return catalogue


def _catalogue(node: Node, reading: Reading) -> Catalogue:
    fields = reading.fields(node, "the catalogue", ("campaigns", "tables", "tools"))
    entries = [_entry(item, reading) for item in reading.items(fields.get("campaigns"), "campaigns")]
    tables = {
        name: reading.table(table, f"the table '{name}'")
        for name, table in reading.fields(fields.get("tables"), "tables").items()
    }
    tools = {
        name: reading.words(tool, f"the tool '{name}'", ("name", "instance", "team"))
        for name, tool in reading.fields(fields.get("tools"), "tools").items()
    }
    return Catalogue(tuple(entries), tables, tools)


def _entry(node: Node, reading: Reading) -> Entry:
    words = ("match", "category", "purpose", "owner_team", "items", "note")
    fields = reading.fields(node, "a campaign", words)
    selectors = reading.fields(fields.get("match"), "match", SELECTORS)
    if not selectors:
        reading.problem(node.place, "a campaign says what it is about", "add match: {campaign: spring-*}")
    patterns = {name: _patterns(value, reading) for name, value in selectors.items()}
    return Entry(
        patterns,
        reading.choice(fields.get("category"), "category", CATEGORIES),
        reading.choice(fields.get("purpose"), "purpose", PURPOSES),
        reading.text(fields.get("owner_team"), "owner_team"),
        _patterns(fields["items"], reading) if "items" in fields else (),
    )


def _patterns(node: Node, reading: Reading) -> tuple[str, ...]:
    nodes = node.items if isinstance(node, Items) else (node,)
    texts = [item.text for item in nodes if isinstance(item, Scalar) and item.text]
    if len(texts) != len(nodes) or not texts or isinstance(node, Fields):
        reading.problem(node.place, "wants a text or a list of texts")
    return tuple(texts)
