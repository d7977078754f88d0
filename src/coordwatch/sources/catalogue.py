"""The campaign catalogue: what no payload carries and only the operator knows, looked up by campaign, template or tag.

What enters: one YAML file of the operator. What leaves: a Catalogue that answers "what is this message", also with
"nobody said", tables that extend those of the mappings, and facts about the tools. The next room: `emit`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

import re2

from coordwatch.codec import encode_json
from coordwatch.documents import Fields, Items, Node, Scalar, did_you_mean, read_documents
from coordwatch.errors import DocumentError
from coordwatch.events.vocabulary import CATEGORIES, PURPOSES
from coordwatch.sources.mapping import Plain
from coordwatch.sources.reading import Reading

SECTIONS = ("version", "campaigns", "tables", "tools", "skus", "locations")
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
    """Everything in one catalogue file; the first entry in file order that fits wins.

    `skus` and `locations` are by tool: its own number or word, and ours. `version` is what the operator calls this edition.
    """

    entries: tuple[Entry, ...] = ()
    tables: Mapping[str, Mapping[str, Plain]] = field(default_factory=dict)
    tools: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    skus: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    locations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    version: str = ""

    @property
    def digest(self) -> str:
        """A short name of what it says, the same wherever the same is said."""
        return sha256(encode_json(asdict(self), sort=True)).hexdigest()[:12]

    def table(self, name: str, own: Mapping[str, Plain]) -> Mapping[str, Plain]:
        """Give a mapping's table as this operator has it: the mapping's own words, then the operator's over them."""
        return {**own, **self.tables.get(name, {})}


@dataclass(frozen=True, slots=True)
class Known:
    """What the mappings of a site have names for: a name that none knows would have no effect, and nobody would see it."""

    tables: frozenset[str]
    sources: frozenset[str]


Find = Callable[[Selection], Entry | None]


def compile_catalogue(catalogue: Catalogue) -> Find:
    """Make the function that finds the entry for the values of each selector (campaign, journey, template, tag)."""
    if not catalogue.entries:
        return nothing_known
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


def nothing_known(selection: Selection) -> None:
    """What a catalogue without entries says of every message."""


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


def laid_together(parts: Sequence[Catalogue]) -> Catalogue:
    """Give one catalogue of several: entries one behind the other, and of two that say the same word the later."""

    def rows(name: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for part in parts:
            for table, own in getattr(part, name).items():
                found.setdefault(table, {}).update(own)
        return found

    return Catalogue(
        tuple(entry for part in parts for entry in part.entries),
        rows("tables"),
        rows("tools"),
        rows("skus"),
        rows("locations"),
        " ".join(part.version for part in parts if part.version),
    )


def parse_catalogue(text: str, path: str, known: Known | None = None) -> Catalogue:
    """Read a catalogue file.

    Takes:  `known`, to see that the names in it are names of the site's mappings
    Raises: DocumentError with every problem and its place
    """
    documents = read_documents(text, path)
    reading = Reading(path)
    catalogue = Catalogue()
    if len(documents) > 1:
        reading.problem(documents[1].place, "a catalogue is one YAML document", "put everything under one `campaigns:`")
    elif documents:
        catalogue = _catalogue(documents[0], reading)
        if known is not None:
            _see_names(documents[0], known, reading)
    if reading.problems:
        raise DocumentError(reading.problems)
    return catalogue


def _catalogue(node: Node, reading: Reading) -> Catalogue:
    fields = reading.fields(node, "the catalogue", SECTIONS)
    entries = [_entry(item, reading) for item in reading.items(fields.get("campaigns"), "campaigns")]
    tables = {
        name: reading.table(table, f"the table '{name}'")
        for name, table in reading.fields(fields.get("tables"), "tables").items()
    }
    tools = {
        name: reading.words(tool, f"the tool '{name}'", ("name", "instance", "team"))
        for name, tool in reading.fields(fields.get("tools"), "tools").items()
    }
    version = fields.get("version")
    return Catalogue(
        tuple(entries),
        tables,
        tools,
        _by_tool(fields.get("skus"), "skus", reading),
        _by_tool(fields.get("locations"), "locations", reading),
        version.text if isinstance(version, Scalar) else reading.text(version, "version") or "",
    )


def _by_tool(node: Node | None, what: str, reading: Reading) -> dict[str, dict[str, str]]:
    """Words by tool; a number is as good as a text, since most tools count their things."""
    return {
        tool: {word: str(row) for word, row in reading.table(rows, f"{what} of '{tool}'").items()}
        for tool, rows in reading.fields(node, what).items()
    }


def _see_names(node: Node, known: Known, reading: Reading) -> None:
    for section, names, what in (
        ("tables", known.tables, "no mapping has a table"),
        *((section, known.sources, "no mapping is called") for section in ("tools", "skus", "locations")),
    ):
        rows = node.items.get(section) if isinstance(node, Fields) else None
        for name in rows.items if isinstance(rows, Fields) else ():
            if name not in names and isinstance(rows, Fields):
                reading.problem(rows.places[name], f"{what} '{name}'", did_you_mean(name, names))


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
