"""Rule files on disk: paths in, rules and every problem of every file out.

What enters: files and folders, or nothing for the packs that ship. What leaves: `RuleFiles`.
The next room: `rules.lint` and the engine; parsing itself is `rules.parse`, which never touches a file.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import coordwatch
from coordwatch.documents import SIZE_MAX
from coordwatch.errors import CoordwatchError, Place, Problem, RuleError
from coordwatch.rules.parse import parse_rules, parse_shared
from coordwatch.rules.spec import RuleSpec, SharedSpec

SHARED = "_shared.yaml"
SUFFIXES = (".yaml", ".yml")
# A single file may stand some folders below the words it shares, as in rules/bank/fraud/one.yaml.
_PARENTS_MAX = 3


class MissingContent(CoordwatchError):
    """The rules and schemas that ship are not where they should be: the installation is broken."""


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """What some paths held: the rules that can be used, and what is wrong with the others."""

    specs: tuple[RuleSpec, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One rule file, and the folders that may hold the words it shares, the outermost first."""

    path: Path
    folders: tuple[Path, ...]


def shipped(part: str) -> Path:
    """The folder of content that ships: `rules` or `schemas`, in the installed package or in a checkout.

    Raises: MissingContent
    """
    package = Path(coordwatch.__file__).parent
    for folder in (package / "_content" / part, package.parent.parent / part):
        if folder.is_dir():
            return folder
    raise MissingContent(f"the folder '{part}' that ships with coordwatch is missing: install it again")


def load_rules(paths: Sequence[Path] | None = None) -> RuleFiles:
    """Read rules from files and folders; without paths, the packs that ship.

    Gives: the rules in the order of the paths, and every problem of every file; a file with a problem gives no rule
    """
    problems: list[Problem] = []
    specs: dict[str, RuleSpec] = {}
    shared: dict[Path, SharedSpec | None] = {}
    for path in paths if paths is not None else (shipped("rules"),):
        found = list(rule_files(path, problems))
        for file in found:
            try:
                words = _shared_words(file.folders, shared, problems)
                # Without the words it shares, every use of one would be told as a mistake.
                rules = [] if words is None else parse_rules(_read(file.path), str(file.path), words)
            except RuleError as error:
                problems.extend(error.problems)
                continue
            for spec in rules:
                first = specs.setdefault(spec.id, spec)
                if first is not spec and first.place != spec.place:
                    problems.append(
                        Problem(spec.place, f"two rules have the id '{spec.id}'", f"the first: {first.place}")
                    )
    return RuleFiles(tuple(specs.values()), tuple(dict.fromkeys(problems)))


def rule_files(path: Path, problems: list[Problem]) -> Iterator[RuleFile]:
    """Every rule file under a path, in the order of their names; files and folders with a leading _ or . are left out."""
    if path.is_dir():
        empty = True
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
            here = Path(folder)
            above = [parent for parent in reversed(here.parents) if parent == path or path in parent.parents]
            for name in sorted(files):
                if name.endswith(SUFFIXES) and not name.startswith((".", "_")):
                    empty = False
                    yield RuleFile(here / name, (*above, here))
        if empty:
            problems.append(Problem(Place(str(path)), "no rule file is in this folder", "a rule file ends in .yaml"))
    elif path.exists():
        parents = [path.parent, *path.resolve().parent.parents][:_PARENTS_MAX]
        yield RuleFile(path, tuple(reversed(parents)))
    else:
        problems.append(Problem(Place(str(path)), "there is no such file or folder"))


def _shared_words(
    folders: Sequence[Path], known: dict[Path, SharedSpec | None], problems: list[Problem]
) -> SharedSpec | None:
    """The words of every `_shared.yaml` on the way down; an inner one says more, and wins. None when one is wrong."""
    words = SharedSpec()
    for folder in folders:
        if folder not in known:
            known[folder] = _shared_in(folder, problems)
        inner = known[folder]
        if inner is None:
            return None
        words = SharedSpec(
            {**words.lists, **inner.lists}, {**words.macros, **inner.macros}, {**words.calendars, **inner.calendars}
        )
    return words


def _shared_in(folder: Path, problems: list[Problem]) -> SharedSpec | None:
    path = folder / SHARED
    if not path.is_file():
        return SharedSpec()
    try:
        return parse_shared(_read(path), str(path))
    except RuleError as error:
        problems.extend(error.problems)
        return None


def _read(path: Path) -> str:
    """The text of a file. Raises: RuleError when it cannot be read as text."""
    try:
        if path.stat().st_size > SIZE_MAX * 4:
            raise RuleError([Problem(Place(str(path)), f"the file is larger than {SIZE_MAX:,} characters", "split it")])
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise RuleError([Problem(Place(str(path), line), "this is not UTF-8 text", "save the file as UTF-8")]) from None
    except OSError as error:
        raise RuleError([Problem(Place(str(path)), f"the file cannot be read: {error.strerror}")]) from None
