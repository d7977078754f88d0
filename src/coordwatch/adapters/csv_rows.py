"""Rows as CSV that no spreadsheet takes for formulas: everything quoted, and what looks like a formula is told to be text.

What enters: columns, rows of plain values.
What leaves: lines with CRLF ends (RFC 4180), for whoever exports.
The next room: the API and the commands.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

# What a spreadsheet begins a formula with, or skips before one; the wide forms are taken for the narrow ones by some.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣")


def guarded(text: str) -> str:
    """Text that stays text: with an apostrophe before what would be a formula."""
    # Before a formula a spreadsheet skips what nobody sees: blanks of every width, and signs that have none.
    seen = next((one for one in text if one.isprintable() and one != " "), "")
    return f"'{text}" if seen in _FORMULA or text.startswith(("'", *_FORMULA)) else text


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a CSV file; the first one names the columns and begins with the mark that spreadsheets look for."""
    yield "\ufeff" + _line(columns)
    for row in rows:
        yield _line(["" if value is None else guarded(str(value)) for value in row])


def _line(values: Sequence[object]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow(values)
    return out.getvalue()
