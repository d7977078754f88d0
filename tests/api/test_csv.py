"""What is exported as CSV stays text in a spreadsheet, and comes back as it was."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordwatch.adapters.csv_rows import csv_lines, guarded

texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(texts, texts), max_size=5))
def test_every_row_comes_back_as_it_was_written_but_for_the_guard(rows):
    text = "".join(csv_lines(("a", "b"), rows)).removeprefix("\ufeff")
    found = list(csv.reader(io.StringIO(text, newline="")))
    assert found == [["a", "b"], *([guarded(one) for one in row] for row in rows)]
    assert all(one.removeprefix("'") == was for row, was_row in zip(found[1:], rows, strict=True)
               for one, was in zip(row, was_row, strict=True) if not was.startswith("'"))  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "＝1+1", "|cmd", "%0A=1", "'=1"],
)
def test_what_a_spreadsheet_would_calculate_is_told_to_be_text(text):
    assert guarded(text).startswith("'")


def test_plain_text_and_numbers_stay_as_they_are():
    assert [guarded(one) for one in ("Spring sale", "12", "a=b", "")] == ["Spring sale", "12", "a=b", ""]
