"""Where alerts and state are kept: a SQLite file by its path, or a PostgreSQL by its URL.

What enters: the text of a setting or of the command line.
What leaves: a path, or a Postgres, whose password shows nowhere.
The next room: `engines`, which opens it; settings and commands read it.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEMES = ("postgresql", "postgres")
_PORT = 5432


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL database. `options` are libpq's own, such as `sslmode`; without a password libpq looks for one itself."""

    host: str
    port: int
    name: str
    user: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        return f"postgresql://{user}{self.host}:{self.port}/{self.name}"

    def with_password(self, password: str) -> "Postgres":
        """The same database, opened with this password."""
        return replace(self, password=password)


Database = Path | Postgres


def read_database(text: str) -> Database:
    """The database that a text names.

    Raises: ValueError for a URL that names none; its message never repeats the URL, which may hold a password
    """
    scheme, colon, _ = text.partition("://")
    if not colon:
        if not text.strip():
            raise ValueError("name a file, or a URL such as postgresql://coordwatch@db.example.com/coordwatch")
        return Path(text)
    if scheme not in SCHEMES:
        raise ValueError(f"'{scheme[:20]}://' is no database that can be used: a file, or postgresql://USER@HOST/NAME")
    return _postgres(text)


def _postgres(text: str) -> Postgres:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("this URL cannot be read: postgresql://USER@HOST:5432/NAME") from None
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise ValueError("the URL names no database: postgresql://USER@HOST:5432/NAME")
    options = dict(parse_qsl(parts.query))
    password = options.pop("password", None) or (None if parts.password is None else unquote(parts.password))
    host = options.pop("host", None) or parts.hostname or "127.0.0.1"
    user = options.pop("user", None) or (unquote(parts.username) if parts.username else None)
    return Postgres(host, port or _PORT, name, user, tuple(sorted(options.items())), password)


def holds_password(text: str) -> bool:
    """Whether a text for a database holds a password, readable or not as a URL."""
    try:
        database = read_database(text)
    except ValueError:
        return ":" in text.partition("://")[2].partition("@")[0] and "@" in text
    return isinstance(database, Postgres) and database.password is not None
