"""`coordwatch sources`: which tools can be read, what their events become, whether mappings and catalogue hold.

What enters: the mapping files that ship and those of the site. What leaves: one line for each mapping or example; for
a program JSON Lines, for a person at a terminal words.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from coordwatch.adapters.mapping_files import SourceFiles, load_sources, read_source_files
from coordwatch.cli import sources_infer
from coordwatch.cli.sources_infer import records_of
from coordwatch.cli.sources_shown import shown, side_by_side
from coordwatch.codec import encode_json
from coordwatch.documents import did_you_mean
from coordwatch.errors import DocumentError, Place, Problem
from coordwatch.sources.catalogue import Catalogue
from coordwatch.sources.coverage import coverage
from coordwatch.sources.examples import ExampleResult, example_pieces, run_examples
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.mapping import SourceMapping
from coordwatch.sources.record import Record

OK, FINDINGS = 0, 1
FIELDS_OF_MAX = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    commands = parser.add_subparsers(dest="what", required=True, metavar="list|test|infer|catalogue")
    listing = commands.add_parser("list", help="the mappings: name, family, what they emit")
    testing = commands.add_parser("test", help="run the examples that stand in mapping files under `tests:`")
    testing.add_argument(
        "names", nargs="*", metavar="NAME|FILE", help="names of mappings, or mapping files; without any, all of them"
    )
    testing.add_argument(
        "--show", action="store_true", help="payload and events side by side, and which fields were left behind"
    )
    testing.add_argument(
        "--fields", action="append", default=[], metavar="FILE", help="say the same of the fields of your own payloads"
    )
    catalogue = commands.add_parser("catalogue", help="check the catalogue of a site, and say what it leaves open")
    inferring = commands.add_parser("infer", help="propose a mapping for payloads that none knows yet")
    sources_infer.add_arguments(inferring)
    for command in (listing, testing, catalogue, inferring):
        command.add_argument(
            "--config",
            type=Path,
            metavar="FILE",
            help="a settings file, a mapping of your own, or a campaign catalogue",
        )


def run(args: argparse.Namespace) -> int:
    """List the mappings, run their examples, or check the catalogue; a failed example is a finding."""
    if args.what == "infer":
        return sources_infer.run(args)
    files = SourceFiles() if args.config is None else read_source_files(args.config)
    if args.what == "list":
        return _list(load_sources(files)[0])
    if args.what == "catalogue":
        return _catalogue(*load_sources(files))
    mappings, catalogue = _chosen(args.names, files)
    code = _test(mappings, catalogue, show=args.show)
    if args.fields:
        _print_fields(mappings, list(records_of(args.fields, FIELDS_OF_MAX)))
    elif args.show:
        _print_fields(mappings)
    return code


def _list(mappings: Sequence[SourceMapping]) -> int:
    rows: list[dict[str, Any]] = [
        {
            "name": mapping.name,
            "family": mapping.family,
            "emits": list(mapping.emits),
            "topics": list(mapping.match.topics),
            "summary": mapping.summary,
        }
        for mapping in mappings
    ]
    if not sys.stdout.isatty():
        _print_lines(rows)
        return OK
    for row in rows:
        print(f"{row['name']:<18}{row['family']:<13}{row['summary']}")
        for name in row["emits"]:
            print(f"{'':<31}{'every canonical type' if name == '*' else name}")
    return OK


def _catalogue(mappings: Sequence[SourceMapping], catalogue: Catalogue) -> int:
    """One row: the edition, how much it says, and the tools whose owner it does not name."""
    owned = {mapping.name for mapping in mappings if "team" in mapping.tool}
    owned |= {name for name, facts in catalogue.tools.items() if "team" in facts}
    row: dict[str, Any] = {
        "version": catalogue.version,
        "digest": catalogue.digest,
        "campaigns": len(catalogue.entries),
        "words": {
            name: len(rows)
            for section in (catalogue.tables, catalogue.skus, catalogue.locations)
            for name, rows in section.items()
        },
        "tools_without_owner": sorted({mapping.name for mapping in mappings} - owned),
    }
    if not sys.stdout.isatty():
        _print_lines([row])
        return OK
    print(f"version {row['version'] or '-'}, digest {row['digest']}: {row['campaigns']} campaigns")
    print(f"no owner is named for: {', '.join(row['tools_without_owner']) or 'nobody, all have one'}")
    return OK


def _chosen(names: Sequence[str], files: SourceFiles) -> tuple[list[SourceMapping], Catalogue]:
    """The mappings to test: by name among all that are known, or those in the files named.

    Raises: DocumentError when a name is neither, or a file has problems
    """
    paths = tuple(Path(name) for name in names if Path(name).exists())
    mappings, catalogue = load_sources(SourceFiles((*files.mappings, *paths), files.catalogue))
    if not names:
        return mappings, catalogue
    known = {mapping.name for mapping in mappings}
    wanted = {name for name in names if not Path(name).exists()}
    problems = [
        Problem(Place(name), "no mapping has this name, and no file", did_you_mean(name, known))
        for name in sorted(wanted - known)
    ]
    if problems:
        raise DocumentError(problems)
    prefixes = tuple(str(path) for path in paths)
    chosen = [one for one in mappings if one.name in wanted or (prefixes and one.place.path.startswith(prefixes))]
    return chosen, catalogue


def _test(mappings: Sequence[SourceMapping], catalogue: Catalogue, show: bool) -> int:
    results = [result for mapping in mappings for result in run_examples(mapping, _only_tables(catalogue))]
    failed = [result for result in results if result.differences]
    if sys.stdout.isatty():
        for result in results:
            _print_for_person(result)
            print("\n".join(side_by_side(result, shutil.get_terminal_size().columns)) if show else "", end="\n" * show)
    else:
        _print_lines([{**_row(result), **(shown(result) if show else {})} for result in results])
    without = [mapping.name for mapping in mappings if not mapping.examples]
    for name in without:
        print(
            f"coordwatch sources test: the mapping '{name}' has no tests; put payloads and what they become under `tests:`",
            file=sys.stderr,
        )
    if sys.stderr.isatty():
        print(f"{len(results)} examples, {len(failed)} failed", file=sys.stderr)
    return FINDINGS if failed else OK


def _print_fields(mappings: Sequence[SourceMapping], records: Sequence[Record] = ()) -> None:
    """Of each mapping, which fields of the records, or of its examples, are taken over, only looked at, or left behind."""
    for mapping in mappings:
        mapper = Mapper([mapping])
        pieces = [piece for record in records for piece in mapper.pieces(record, mapping.name)]
        found = coverage(mapping, pieces if records else example_pieces(mapping))
        if not sys.stdout.isatty():
            _print_lines([{"source": mapping.name, "fields": asdict(found)}])
            continue
        for what, paths in (("taken over", found.taken), ("looked at", found.looked_at), ("left behind", found.left)):
            print(f"{mapping.name}: {len(paths)} fields {what}: {', '.join(paths) or 'none'}")


def _only_tables(catalogue: Catalogue) -> Catalogue:
    """The examples of a mapping speak of no campaign of this site, but of its tables they may."""
    return Catalogue(tables=catalogue.tables)


def _row(result: ExampleResult) -> dict[str, Any]:
    return {
        "source": result.source,
        "test": result.name,
        "result": "fail" if result.differences else "pass",
        "place": str(result.place),
        "differences": list(result.differences),
    }


def _print_for_person(result: ExampleResult) -> None:
    print(f"{'FAIL' if result.differences else 'ok  '}  {result.source}: {result.name}")
    for difference in result.differences:
        print(f"      {result.place}: {difference}")


def _print_lines(rows: Sequence[dict[str, Any]]) -> None:
    sys.stdout.buffer.write(b"".join(encode_json(row) + b"\n" for row in rows))
    sys.stdout.buffer.flush()
