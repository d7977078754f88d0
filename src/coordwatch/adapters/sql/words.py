"""Text as every database can keep it: ordered by code points, and with a character that PostgreSQL refuses.

What enters: any text. What leaves: the same text again. The next room: `schema`, whose columns are of this type.
"""

from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

# PostgreSQL knows no NUL in a text, and what tools send may hold one. A private character stands for it there.
_ESCAPE = "\ue000"
_ESCAPES = (("\ue000", "\ue000e"), ("\x00", "\ue000n"))


class Words(TypeDecorator[str]):
    """Text that compares by code points in every database, and may hold any character."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The collation of a PostgreSQL is whatever its maker liked, so it is named; SQLite's is the one meant."""
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What is sent to the database."""
        if value is None or dialect.name != "postgresql" or not (_ESCAPE in value or "\x00" in value):
            return value
        for found, instead in _ESCAPES:
            value = value.replace(found, instead)
        return value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """What came back."""
        if value is None or dialect.name != "postgresql" or _ESCAPE not in value:
            return value
        for found, instead in reversed(_ESCAPES):
            value = value.replace(instead, found)
        return value
