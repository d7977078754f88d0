"""The schema for editors accepts every rule that ships and refuses the same words that the parser refuses."""

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from coordwatch.adapters.files import shipped
from coordwatch.rules.rule_schema import rule_schema
from tests.rules.test_parse import FULL

SCHEMA = rule_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
FILES = sorted(path for path in shipped("rules").rglob("*.yaml") if not path.name.startswith("_"))


class Texts(yaml.SafeLoader):
    """YAML as an editor reads it: a date is a text."""


Texts.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in found if not tag.endswith("timestamp")]
    for letter, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def mistakes(text: str) -> list[str]:
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
        for error in VALIDATOR.iter_errors(yaml.load(text, Texts))
    ]


def test_it_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == "urn:coordwatch:rule"


def test_every_word_has_its_place():
    assert mistakes(FULL) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_rule_that_ships_is_accepted(path):
    assert mistakes(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("severity: critical", "severity: bad"),
        ("title: Promotion", "titel: Promotion"),
        ("linger: 48h", "linger: 48"),
        ("linger: 48h", "lingers: 48h"),
        ("event: feedback.received", "event: feedback.recieved"),
        ("event: bot.message.received, within: forever", "event: bot.message.received"),
        ("event: service.case.updated", "evnt: service.case.updated"),
        ("closed:\n      any:", "closed:\n      same: case\n      any:"),
        ("at_least: 3", "at_least: 0"),
        ("{at: 0h, service.case.opened: {case: K1, kind: complaint}}", "{at: 0h, service.case.opened: {cse: K1}}"),
        ("{at: 0h, service.case.opened: {case: K1, kind: complaint}}", "{service.case.opened: {case: K1}}"),
        ("status: open, evidence", "status: opened, evidence"),
        ("until: 2026-12-31", "until: soon"),
        ("open: 2h, calendar", "opening: 2h, calendar"),
    ],
)
def test_a_mistake_is_marked(before, after):
    full = FULL.replace("commerce.order.changed", "feedback.received")
    assert mistakes(full) == []
    changed = full.replace(before, after, 1)
    assert changed != full
    assert mistakes(changed) != []


def words_in(schema: Any) -> set[str]:
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found |= set(node.get("properties", {}))
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return found


def test_every_word_of_the_language_is_in_it():
    words = (
        "when after while given unless expect event where same any within at_least distinct grace since opened closed"
    )
    words += (
        " reopened linger at_most per by early repair once_per quiet say exceptions tests open calendar until evidence"
    )
    assert set(words.split()) <= words_in(SCHEMA)
