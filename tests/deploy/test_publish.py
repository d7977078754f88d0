"""The small publisher: what goes in lies in its topic, and a topic that is not there is said and not made."""

import json
import subprocess
import sys

import pytest

from deploy.publish import publish
from tests.services.consume import read_topic
from tests.services.topics import Topics
from tests.tidy.tree import ROOT

RECORD = {"topic": "shop", "timestamp": "2026-06-01T06:00:00Z", "headers": {"x": "é"}, "value": {"id": 1}}


def test_a_recorded_stream_lies_in_its_topics_in_its_order(topics: Topics) -> None:
    name = topics.create("shop")
    lines = [json.dumps(RECORD | {"value": value}) for value in ({"id": 1}, [2], "no json")]
    assert publish(topics.bootstrap, lines, f"{topics.prefix}.") == 3
    found = read_topic(topics.bootstrap, name)
    assert [one.value for one in found] == [b'{"id": 1}', b"[2]", b"no json"]
    assert {one.headers for one in found} == {(("x", "é".encode()),)}


def test_a_topic_that_is_not_there_is_refused(topics: Topics) -> None:
    with pytest.raises(OSError, match="topic"):
        publish(topics.bootstrap, [json.dumps(RECORD)], f"{topics.prefix}.")


def test_the_command_says_how_many(topics: Topics) -> None:
    name = topics.create("shop")
    text = json.dumps(RECORD | {"topic": name}) + "\n\n"
    command = [sys.executable, "-m", "deploy.publish", topics.bootstrap]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "1 records published\n")


def test_topics_that_are_not_there_are_made_when_asked(topics: Topics) -> None:
    text = json.dumps(RECORD | {"topic": f"{topics.prefix}.made"}) + "\n"
    command = [sys.executable, "-m", "deploy.publish", topics.bootstrap]
    refused = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (refused.returncode, f"not published: the topic '{topics.prefix}.made'" in refused.stderr) == (1, True)
    done = subprocess.run([*command, "--make", "2"], input=text, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, f"topics made: {topics.prefix}.made\n1 records published\n")
