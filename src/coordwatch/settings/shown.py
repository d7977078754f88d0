"""The settings as people may see them: every value in force, where it comes from, and no secret.

Settings enter; lines of name, value and origin leave. The next room: the page of the settings.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from coordwatch.adapters.sql.database import Postgres
from coordwatch.documents import Fields, Items, Node, read_documents
from coordwatch.errors import DocumentError
from coordwatch.events.times import format_duration
from coordwatch.ports import SettingView
from coordwatch.settings.parts import Duration
from coordwatch.settings.tree import Settings

HIDDEN, NOTHING = "set, and hidden", "not set"
DEFAULT = "default"
_DURATION = Duration.__metadata__[0]  # type: ignore[attr-defined]
_PREFIX, _DELIMITER = "COORDWATCH_", "__"


def shown_settings(settings: Settings, environment: Mapping[str, str] | None = None) -> list[SettingView]:
    """Every setting in force. Takes: `environment`, that of the process without one."""
    known = dict(os.environ) if environment is None else environment
    root = _document(settings.file)
    folder = known.get("COORDWATCH_SECRETS_DIR")
    files = frozenset(one.name.lower() for one in Path(folder).iterdir()) if folder and Path(folder).is_dir() else ()
    return [
        SettingView(_named(path), words, _origin(path, root, settings.file, known, files))
        for path, words in _leaves(settings, ())
    ]


def _leaves(model: BaseModel, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name, field in type(model).model_fields.items():
        yield from _under(getattr(model, name), field, (*path, name))


def _under(value: Any, field: FieldInfo, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, BaseModel):
        yield from _leaves(value, path)
    elif isinstance(value, tuple) and value and all(isinstance(one, BaseModel) for one in value):
        for index, one in enumerate(value):
            yield from _leaves(one, (*path, index))
    elif isinstance(value, Mapping) and value and any(isinstance(one, SecretStr) for one in value.values()):
        for name in value:
            yield (*path, str(name)), HIDDEN
    else:
        yield path, value_words(value, is_duration=_DURATION in field.metadata)


def value_words(value: Any, *, is_duration: bool = False) -> str:
    """A value as people read it; a secret, and whatever of an address could be one, is not in it."""
    if isinstance(value, SecretStr):
        return HIDDEN
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_duration and isinstance(value, int):
        return format_duration(value)
    if isinstance(value, Postgres):
        return "a PostgreSQL"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {value_words(one)}" for name, one in sorted(value.items())) or "none"
    if isinstance(value, frozenset | set):
        return ", ".join(sorted(value_words(one) for one in value)) or "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(value_words(one) for one in value) or "none"
    return _without_secrets(str(value))


def _without_secrets(text: str) -> str:
    """An address without what may be a secret in it: a name and password, a path that only the owner knows, a query."""
    if "://" not in text:
        return text
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return HIDDEN
    return f"{parts.scheme}://{host}{port}{'/…' if parts.path.strip('/') or parts.query else ''}"


def _document(path: Path | None) -> Node | None:
    if path is None:
        return None
    try:
        documents = read_documents(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError, DocumentError):
        return None
    return documents[0] if documents else None


def _origin(
    path: tuple[str | int, ...],
    root: Node | None,
    file: Path | None,
    known: Mapping[str, str],
    files: Sequence[str] | frozenset[str],
) -> str:
    """Where a value comes from, in the order in which they win: the environment, the secrets, the file."""
    names = [str(part) for part in path]
    variables = [_PREFIX + _DELIMITER.join(names[:many]).upper() for many in range(len(names), 0, -1)]
    for variable in variables:
        if variable in known:
            return f"environment, {variable}"
    if any(variable.lower() in files for variable in variables):
        return "a file of the secrets folder"
    line = None if root is None else _line(root, path)
    return DEFAULT if line is None or file is None else f"{file.name}, line {line}"


def _line(node: Node, path: tuple[str | int, ...]) -> int | None:
    line = None
    for part in path:
        if isinstance(node, Fields) and isinstance(part, str) and part in node.items:
            line, node = node.places[part].line, node.items[part]
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            line = node.place.line
        else:
            return None
    return line


def _named(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
