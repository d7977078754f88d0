"""An operator edits the catalogue while everything runs: what is good is used at once, what is broken changes nothing."""

import json
import logging
import os
import threading
from pathlib import Path

import pytest

from coordwatch.adapters.catalogue_keeper import CatalogueKeeper, Edit, FileFeed
from coordwatch.adapters.kafka.catalogue_topic import Parts
from coordwatch.adapters.mapping_files import known_to, load_catalogue, load_mappings
from coordwatch.app import build
from coordwatch.app.content import file_feed, load_content
from coordwatch.cli import main
from coordwatch.clock import ManualClock
from coordwatch.errors import PermanentError
from coordwatch.settings import for_serve, read_settings
from coordwatch.sources.catalogue import Catalogue, parse_catalogue
from coordwatch.sources.mapper import Mapper
from coordwatch.sources.record import Record

GOOD = "version: one\ncampaigns: [{match: {tag: sale}, category: promotional, owner_team: brand}]\n"
BETTER = (
    "version: two\ncampaigns: [{match: {tag: sale}, category: legal}]\ntables: {zendesk.case_kind: {kulanz: claim}}\n"
)
BROKEN = "version: three\ncampaigns:\n  - {match: {tag: sale}, category: promotonal}\ntables: {zendesk.case_kinds: {a: claim}}\n"


class House:
    """A catalogue file, a mapper that uses it, and the keeper between them."""

    def __init__(self, folder: Path) -> None:
        self.path, self.clock, self._edits = folder / "catalogue.yaml", ManualClock(1_000_000), 0
        self.edit(GOOD)
        mappings = load_mappings()
        first = load_catalogue(self.path)
        self.mapper = Mapper(mappings, first)
        known = known_to(mappings)
        feed = FileFeed(self.path, lambda path: load_catalogue(path, known))
        self.keeper = CatalogueKeeper(feed, first, self.mapper.use, self.clock)

    def edit(self, text: str) -> None:
        """Write the file as an editor does: another one in its place."""
        self._edits += 1
        new = self.path.with_suffix(".new")
        new.write_text(text)
        os.utime(new, ns=(self._edits, self._edits))
        new.replace(self.path)

    def category(self) -> str:
        body = b'{"event": "processed", "email": "mina@example.com", "timestamp": 1760000000, "sg_event_id": "1", "sg_message_id": "m", "category": "sale"}'
        (event,) = self.mapper.map_record(Record(body), "sendgrid").events
        return str(event.data["category"])


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_an_edit_is_used_from_the_next_record_on(house: House, caplog: pytest.LogCaptureFixture) -> None:
    assert house.category() == "promotional"
    house.keeper.look()
    assert house.keeper.state.loaded_at == 1_000_000, "nothing changed"
    house.clock.move_to(2_000_000)
    house.edit(BETTER)
    with caplog.at_level(logging.INFO):
        house.keeper.look()
    assert house.category() == "legal"
    assert "the catalogue two (" in caplog.text
    view = house.keeper.view()
    assert (view["version"], view["campaigns"], view["tables"]) == ("two", 1, {"zendesk.case_kind": 1})
    assert house.keeper.amounts()["coordwatch_catalogue_loaded_seconds"] == {(): 2.0}


def test_a_broken_edit_keeps_the_last_good_one_and_says_every_mistake(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    digest = house.mapper.catalogue.digest
    house.edit(BROKEN)
    house.keeper.look()
    assert house.category() == "promotional"
    assert (house.keeper.view()["version"], house.keeper.view()["digest"]) == ("one", digest)
    assert "catalogue.yaml:3:36: 'promotonal' is no category (did you mean 'promotional'?)" in caplog.text
    assert "catalogue.yaml:4:10: no mapping has a table 'zendesk.case_kinds'" in caplog.text
    assert house.keeper.amounts()["coordwatch_catalogue_problems"] == {(): 2.0}
    caplog.clear()
    house.keeper.look()
    assert caplog.text == "", "a mistake is said once, not every two seconds"
    house.edit(GOOD)
    with caplog.at_level(logging.INFO):
        house.keeper.look()
    assert "in order again" in caplog.text
    assert house.keeper.amounts()["coordwatch_catalogue_problems"] == {(): 0.0}


def test_a_file_that_is_gone_or_no_text_changes_nothing(house: House) -> None:
    house.path.unlink()
    house.keeper.look()
    assert house.category() == "promotional"
    assert "cannot be read" in house.keeper.view()["problems"][0]
    house.path.write_bytes(b"\xff\xfe\x00")
    house.keeper.look()
    assert "not UTF-8" in house.keeper.view()["problems"][0]
    house.edit(BETTER)
    house.keeper.look()
    assert (house.category(), house.keeper.view()["problems"]) == ("legal", [])


def test_a_thread_of_its_own_looks_and_survives_a_feed_that_fails() -> None:
    class Failing:
        where, looks = "somewhere", 0

        def look(self) -> Edit | None:
            self.looks += 1
            if self.looks == 1:
                raise OSError("the disk is gone")
            return Edit(parse_catalogue(BETTER, "c.yaml"))

        def close(self) -> None:
            self.looks = -1

    came, feed, used = threading.Event(), Failing(), list[Catalogue]()

    def use(catalogue: Catalogue) -> None:
        used.append(catalogue)
        came.set()

    keeper = CatalogueKeeper(feed, Catalogue(), use, ManualClock(), every=0.001)
    keeper.start()
    assert came.wait(30)
    keeper.stop()
    keeper.stop()
    assert (used[0].version, feed.looks) == ("two", -1)


def test_the_one_process_runtime_follows_the_file_of_its_settings(tmp_path: Path) -> None:
    (tmp_path / "catalogue.yaml").write_text(GOOD)
    config = tmp_path / "coordwatch.yaml"
    config.write_text("bind: 127.0.0.1:0\nsources: {catalogue: catalogue.yaml}\ninputs: [{kind: http}]\n")
    settings = for_serve(read_settings(config))
    feed = file_feed(settings, load_content(settings))
    assert feed is not None
    assert feed.where == str(tmp_path / "catalogue.yaml")
    service = build(settings)
    for close in (service.listening.close, *service.closing):
        close()
    begun = [one.__qualname__ for one in service.beginning]
    assert begun.count("CatalogueKeeper.start") == 1, "the keeper is begun with the service"


def test_serve_has_no_topic_and_a_site_has_one_catalogue(tmp_path: Path) -> None:
    config = tmp_path / "coordwatch.yaml"
    config.write_text("sources: {catalogue_topic: catalogue}\n")
    with pytest.raises(PermanentError, match="name a file for serve"):
        for_serve(read_settings(config))


def test_parts_on_a_topic_stand_by_their_keys_and_a_broken_one_keeps_its_last_good_edition() -> None:
    parts = Parts(parse_catalogue)
    parts.take(b"a", GOOD.encode(), "catalogue/0@0")
    parts.take(b"b", b"tables: {zendesk.case_kind: {kulanz: claim}}", "catalogue/0@1")
    digest = parts.catalogue.digest
    parts.take(b"b", b"tables: [", "catalogue/0@2")
    parts.take(b"c", b"\xff", "catalogue/0@3")
    assert parts.catalogue.digest == digest
    assert [problem.partition(": ")[0] for problem in parts.problems] == [
        "catalogue/0@2 key 'b':2:1",
        "catalogue/0@3 key 'c'",
    ]
    parts.take(b"c", None, "catalogue/0@4")
    parts.take(b"b", None, "catalogue/0@5")
    assert (parts.problems, parts.catalogue.tables, parts.catalogue.version) == ([], {}, "one")


def test_the_command_checks_a_catalogue_and_names_tools_without_an_owner(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(BETTER + "tools: {zendesk: {team: care}}\n")
    assert main(["sources", "catalogue", "--config", str(path)]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["version"], row["campaigns"], row["words"]) == ("two", 1, {"zendesk.case_kind": 1})
    assert "sendgrid" in row["tools_without_owner"]
    assert "zendesk" not in row["tools_without_owner"]
    path.write_text(BROKEN)
    assert main(["sources", "catalogue", "--config", str(path)]) == 2
    assert "catalogue.yaml:3:36" in capsys.readouterr().err
