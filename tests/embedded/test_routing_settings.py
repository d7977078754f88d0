"""The way of alerts in the settings: every mistake with its place, and what `channels route` says of a right one."""

import json
from pathlib import Path

import pytest

from coordwatch.cli import main
from coordwatch.errors import DocumentError
from coordwatch.settings import read_settings

CHANNELS = """\
channels:
  - {name: cx-oncall, kind: webhook, url: "https://hooks.example.com/a"}
  - {name: pager, kind: webhook, url: "https://hooks.example.com/b"}
  - {name: leads, kind: webhook, url: "https://hooks.example.com/c"}
"""
RIGHT = """\
time_intervals:
  - name: office
    time_intervals:
      - {weekdays: ['monday:friday'], times: [{start_time: '09:00', end_time: '18:00'}], location: Europe/Berlin}
receivers:
  - {name: everybody, channels: [pager, leads]}
route:
  receiver: cx-oncall
  escalate:
    - {after: 15m, receiver: leads}
    - {after: 1h, receiver: everybody}
  routes:
    - matchers: ['severity="critical"']
      receiver: pager
      continue: true
    - matchers: ['owner=~"life.*"', industry=retail]
      receiver: leads
      active_time_intervals: [office]
    - matchers: [severity=low]
      receiver: inbox
      escalate: []
"""
ASK = ["channels", "route", "--config"]


@pytest.fixture
def file(tmp_path):
    def one(text: str) -> Path:
        path = tmp_path / "coordwatch.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return one


def problems(path: Path) -> list[str]:
    with pytest.raises(DocumentError) as refused:
        read_settings(path)
    return [str(problem).partition("coordwatch.yaml")[2] for problem in refused.value.problems]


def test_what_is_written_wrong_is_told_with_its_place(file):
    found = problems(file("""\
time_intervals:
  - name: office
    time_intervals:
      - {weekdays: ['monday:freitag'], times: [{start_time: '19:00', end_time: '18:00'}], location: Europe/Berln}
      - {days_of_month: ['0:3'], months: ['march:may', '13'], years: ['2027:2026'], times: [{start_time: '9:00', end_time: '24:00'}]}
receivers: [{name: nobody, channels: []}]
route:
  reciever: pager
  routes:
    - matchers: ['severty="critical"', 'severity=~"(("']
      continue: true
      escalate:
        - {after: 10s, receiver: pager}
        - {afer: 10m, receiver: pager}
"""))  # fmt: skip
    for line, words in (
        (":4:", "time_intervals.0.time_intervals.0.weekdays.0: 'monday:freitag' is no range here: monday to sunday"),
        (":4:", "time_intervals.0.time_intervals.0.times.0: 'end_time' lies behind 'start_time'"),
        (":4:", "time_intervals.0.time_intervals.0.location: 'Europe/Berln' is no time zone"),
        (":5:", "time_intervals.0.time_intervals.1.days_of_month.0: '0:3' is no range here: -31 to 31"),
        (":5:", "time_intervals.0.time_intervals.1.months.1: '13' is no range here: january to december"),
        (":5:", "time_intervals.0.time_intervals.1.years.0: '2027:2026' runs backwards"),
        (":5:", "time_intervals.0.time_intervals.1.times.0.start_time: '9:00' is no time of day"),
        (":6:", "receivers.0.channels: write 1 to 50 of them"),
        (":8:", "'route.reciever' is no setting (did you mean 'receiver'?)"),
        (":10:", "route.routes.0.matchers.0: no alert has a label 'severty'; did you mean 'severity'?"),
        (":10:", "route.routes.0.matchers.1: severity=~"),
        (":13:", "route.routes.0.escalate.0: 'after' is between 1m and 7d"),
        (":14:", "'route.routes.0.escalate.1.afer' is no setting (did you mean 'after'?)"),
    ):
        assert any(one.startswith(line) and words in one for one in found), (words, found)


def test_what_cannot_stand_together_is_told_with_its_place(file):
    found = problems(file("""\
channels:
  - {name: pager, kind: webhook, url: "https://hooks.example.com/b", match: {severity: [high]}}
receivers: [{name: pager, channels: [pagr]}]
route:
  matchers: [severity=low]
  routes:
    - matchers: ['severity="critical"']
      receiver: pagr
      mute_time_intervals: [offise]
      escalate:
        - {after: 10m, receiver: inbox}
        - {after: 5m, receiver: pager}
"""))  # fmt: skip
    assert [one.partition(": ")[0] for one in found] == [
        ":3:14", ":3:38", ":2:70", ":4:1", ":5:3", ":8:7", ":9:29", ":11:24", ":12:12",
    ]  # fmt: skip
    assert "did you mean 'pager'?" in found[5]


def test_hours_and_receivers_without_a_route_are_for_nothing(file):
    found = problems(file(CHANNELS + "receivers: [{name: all, channels: [pager]}]\n"))
    assert found == [
        ":5:1: receivers: 'receivers' are for a 'route', and there is none: write 'route: {receiver: ...}'"
    ]


def test_the_way_of_an_alert_is_said(file, capsys):
    path = file(CHANNELS + RIGHT)
    assert (
        main([*ASK, str(path), "rule=promo-during-open-complaint", "severity=critical", "--at", "2026-03-02T23:00:00Z"])
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert [(one["path"], one["end"]) for one in found["routes"]][:3] == [
        ("route", False), ("route.routes[0]", True), ("route.routes[1]", True),
    ]  # fmt: skip
    assert found["to"] == ["pager"]
    assert [(one["due"], one["to"], one["reason"]) for one in found["steps"]][:3] == [
        ("2026-03-02T23:15:00Z", ["leads"], "escalated"),
        ("2026-03-03T00:00:00Z", ["pager", "leads"], "escalated"),
        ("2026-03-03T08:00:00Z", ["leads"], "hours_began"),
    ]
    assert main([*ASK, str(path), "severity=low"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["to"], found["steps"], found["held"]) == ([], [], None)


def test_what_cannot_be_said_is_refused_with_the_next_move(file, capsys):
    path = file(CHANNELS + RIGHT)
    for words, wanted in (
        ([], "name an alert by --alert, or labels"),
        (["sverity=low"], "did you mean 'severity'?"),
        (["--alert", "none"], "there is no database"),
        (["severity=low", "--at", "soon"], "soon"),
    ):
        assert main([*ASK, str(path), *words]) == 2
        assert wanted in capsys.readouterr().err
    assert main([*ASK, str(file(CHANNELS)), "severity=low"]) == 2
    assert "the settings have no 'route'" in capsys.readouterr().err
