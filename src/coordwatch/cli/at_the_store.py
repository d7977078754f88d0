"""What commands about alerts, incidents and silences share: the database that they open, who acts, times, lines of output.

What enters: arguments.
What leaves: a store that is let go of; JSON Lines; instants.
The next rooms: `alerts`, `audit`, `dead_letters`, `incidents` and `silences`.
"""

import argparse
import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coordwatch.adapters.sql.database import Database, read_database
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import cards_of
from coordwatch.app.content import load_content
from coordwatch.clock import SystemClock
from coordwatch.codec import encode_json
from coordwatch.errors import PermanentError
from coordwatch.events.times import format_time, parse_duration, parse_time
from coordwatch.settings import read_settings

_INSTANTS = frozenset(
    {"at", "first_at", "last_at", "began_at", "starts_at", "ends_at", "created_at", "updated_at", "happened_at"}
)


def add_database(parser: argparse.ArgumentParser) -> None:
    """Declare which database is meant."""
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--config", type=Path, metavar="FILE", help="the settings file that names the database")
    where.add_argument("--database", type=read_database, metavar="FILE|URL", help="the database itself")


def add_where(parser: argparse.ArgumentParser) -> None:
    """Declare which database is meant, and how it prints."""
    add_database(parser)
    parser.add_argument("--json", action="store_true", help="JSON Lines also on a terminal")


def add_who(parser: argparse.ArgumentParser) -> None:
    """Declare who acts, and as what it was seen."""
    parser.add_argument("--version", type=int, metavar="N", help="only if it is still at this version")
    parser.add_argument("--actor", metavar="NAME", help="who does it (default: the user of this machine)")


def database_there(database: Database) -> Database:
    """The database that is meant. Raises: PermanentError when it is a file that is not there."""
    if isinstance(database, Path) and not database.is_file():
        raise PermanentError(f"there is no database {database}: has 'coordwatch serve' run with it?")
    return database


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[SqlStore]:
    """The store that is meant.

    Raises: PermanentError when there is none; TemporaryError
    """
    settings = None if args.config is None else read_settings(args.config)
    database = database_there(args.database if settings is None else settings.database)
    # The sentences and runbooks of rules are theirs; the database alone holds those of the newest detections only.
    store = SqlStore(database, {} if settings is None else cards_of(load_content(settings).rules))
    try:
        yield store
    finally:
        store.close()


def who(args: argparse.Namespace) -> str:
    """Who acts."""
    return str(args.actor or getpass.getuser())


def instant(text: str, after: int) -> int:
    """A time, or a duration after an instant. Raises: ValueError."""
    try:
        return after + parse_duration(text)
    except ValueError:
        return parse_time(text)


def ago(text: str | None) -> int | None:
    """A time, or a duration before now; None without one. Raises: ValueError."""
    if text is None:
        return None
    try:
        return SystemClock().now() - parse_duration(text)
    except ValueError:
        return parse_time(text)


def json_line(value: Mapping[str, Any]) -> str:
    """One line of JSON, with instants as people read them."""
    return encode_json(_readable(value)).decode()


def _readable(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _readable(one, key) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_readable(one, name) for one in value]
    return format_time(value) if name in _INSTANTS and isinstance(value, int) else value
