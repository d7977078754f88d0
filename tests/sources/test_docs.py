"""What the pages about sources show is true: their examples are read, and hold."""

import re
from pathlib import Path

import pytest

from coordwatch.adapters.mapping_files import load_mappings
from coordwatch.codec import encode_json
from coordwatch.sources.catalogue import parse_catalogue
from coordwatch.sources.examples import run_examples
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.parse import parse_mappings
from coordwatch.sources.parse_value import CHANGES, ORIGINS
from coordwatch.sources.record import Record
from coordwatch.sources.unwrap import WRAPPERS
from tests.sources.shipped import SOURCES

PAGES = Path(__file__).parents[2] / "docs" / "sources"


def blocks(page: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", (PAGES / page).read_text(), re.DOTALL)


def test_the_mapping_shown_is_one_and_holds_its_examples() -> None:
    (mapping,) = parse_mappings(blocks("README.md")[0], "README.md")
    assert [()] * 2 == [result.differences for result in run_examples(mapping)]


def test_the_catalogue_shown_is_one_that_the_shipped_mappings_know() -> None:
    catalogue = parse_catalogue(blocks("catalogue.md")[0], "catalogue.md")
    mappings = load_mappings()
    assert set(catalogue.tables) <= {table for mapping in mappings for table in mapping.tables}
    mapper = Mapper(mappings, catalogue)
    message = {
        "event": "processed",
        "sg_event_id": "1",
        "sg_message_id": "m",
        "email": "a@example.com",
        "timestamp": 1760000000,
    }
    (event,) = mapper.map_record(Record(encode_json([{**message, "campaign_id": "spring-2026"}])), "sendgrid").events
    assert ("promotional", "lifecycle-marketing") == (event.data["category"], event.data["tool"]["team"])


@pytest.mark.parametrize("source", SOURCES)
def test_every_shipped_mapping_has_its_page(source: str) -> None:
    assert f"({source}.md)" in (PAGES / "README.md").read_text()
    (mapping,) = [one for one in load_mappings() if one.name == source]
    page = (PAGES / f"{source}.md").read_text()
    assert [] == [name for name in mapping.emits if name != "*" and f"`{name}`" not in page]


def test_every_word_of_the_language_is_explained() -> None:
    page = (PAGES / "README.md").read_text()
    assert [] == [word for word in (*ORIGINS, *CHANGES, *WRAPPERS) if not re.search(rf"\b{word}\b", page)]
