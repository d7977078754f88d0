"""Mapping files on disk: the mappings that ship, those of the site over them, and the site's campaign catalogue.

What enters: paths, or the `sources` section of a settings file. What leaves: SourceMappings and a Catalogue.
The next room: `sources.mapper`; parsing itself is `sources.parse`, which never touches a file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from coordwatch.adapters.files import shipped
from coordwatch.documents import Fields, Items, Node, Scalar, read_documents
from coordwatch.errors import DocumentError, Place, Problem
from coordwatch.sources.catalogue import Catalogue, Known, parse_catalogue
from coordwatch.sources.mapping import SourceMapping
from coordwatch.sources.parse import parse_mappings

_BYTES_MAX = 16_000_000


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """Which files a site adds: mappings of its own, and its catalogue."""

    mappings: tuple[Path, ...] = ()
    catalogue: Path | None = None


def load_sources(files: SourceFiles = SourceFiles()) -> tuple[list[SourceMapping], Catalogue]:
    """Read the mappings that ship, those of the site, and its catalogue, and see that they fit each other.

    Raises: DocumentError with every problem of every file
    """
    mappings = load_mappings(files.mappings)
    return mappings, load_catalogue(files.catalogue, known_to(mappings))


def load_mappings(paths: Sequence[Path] = ()) -> list[SourceMapping]:
    """Read the mappings that ship and those under the paths; one of the site replaces the shipped one of its name.

    Gives:  the mappings in the order of their names
    Raises: DocumentError with every problem of every file
    """
    problems: list[Problem] = []
    own = _read_all((file for path in paths for file in _files(path, problems)), problems)
    names = {mapping.name for mapping in own}
    ours = _read_all(sorted((shipped("schemas") / "sources").glob("*.yaml")), problems)
    if problems:
        raise DocumentError(problems)
    return sorted([*own, *(mapping for mapping in ours if mapping.name not in names)], key=lambda one: one.name)


def load_catalogue(path: Path | None, known: Known | None = None) -> Catalogue:
    """Read the site's catalogue; without one, nothing is known of any campaign.

    Takes:  `known`, the names that it may use
    Raises: DocumentError with every problem
    """
    return Catalogue() if path is None else parse_catalogue(read_text(path), str(path), known)


def read_source_files(path: Path) -> SourceFiles:
    """Read which source files a site names: `sources: {mappings: [...], catalogue: ...}` of its settings file.

    A file that is itself a mapping or a catalogue is taken as that. Paths are seen from the file's own folder.
    Raises: DocumentError
    """
    documents = read_documents(read_text(path), str(path))
    fields = documents[0].items if documents and isinstance(documents[0], Fields) else {}
    if "source" in fields:
        return SourceFiles(mappings=(path,))
    if fields.keys() & {"campaigns", "tables", "tools", "skus", "locations"} and "sources" not in fields:
        return SourceFiles(catalogue=path)
    section = fields.get("sources")
    if section is None:
        return SourceFiles()
    return _section(section, path)


def _section(node: Node, path: Path) -> SourceFiles:
    found = SourceFiles()
    if not isinstance(node, Fields):
        raise DocumentError([Problem(node.place, "sources wants names with values", "mappings: [...], catalogue: ...")])
    for name, value in node.items.items():
        texts = [
            item.text for item in (value.items if isinstance(value, Items) else (value,)) if isinstance(item, Scalar)
        ]
        if name == "mappings":
            found = replace(found, mappings=tuple(path.parent / text for text in texts))
        elif name == "catalogue" and texts:
            found = replace(found, catalogue=path.parent / texts[0])
    return found


def read_text(path: Path) -> str:
    """Read a text file.

    Raises: DocumentError when it cannot be read as UTF-8 text
    """
    try:
        if path.stat().st_size > _BYTES_MAX:
            raise DocumentError(
                [Problem(Place(str(path)), f"the file is larger than {_BYTES_MAX:,} bytes", "split it")]
            )
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        place = Place(str(path), line)
        raise DocumentError([Problem(place, "this is not UTF-8 text", "save the file as UTF-8")]) from None
    except OSError as error:
        raise DocumentError([Problem(Place(str(path)), f"the file cannot be read: {error.strerror}")]) from None


def _files(path: Path, problems: list[Problem]) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*.y*ml") if not file.name.startswith((".", "_")))
    if not found:
        problems.append(Problem(Place(str(path)), "no mapping file is in this folder", "a mapping file ends in .yaml"))
    return found


def _read_all(paths: Iterable[Path], problems: list[Problem]) -> list[SourceMapping]:
    mappings: list[SourceMapping] = []
    for path in paths:
        try:
            mappings += _parsed(read_text(path), str(path))
        except DocumentError as error:
            problems += error.problems
    return mappings


@lru_cache(maxsize=256)
def _parsed(text: str, path: str) -> tuple[SourceMapping, ...]:
    """Parse a file once, however often a program looks at it again."""
    return tuple(parse_mappings(text, path))


def known_to(mappings: Sequence[SourceMapping]) -> Known:
    """The names that a catalogue may use."""
    tables = frozenset(name for mapping in mappings for name in mapping.tables)
    return Known(tables, frozenset(mapping.name for mapping in mappings))
