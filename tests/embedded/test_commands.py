"""The commands that run or look at a service: demo, serve, doctor, alerts."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.cli import main
from tests.build import CARDS, fill
from tests.services.waiting import ANSWER, wait_until

COMMAND = [sys.executable, "-m", "coordwatch"]
MEMORY_MAX = 200 * 1024 * 1024


@pytest.fixture
def database(tmp_path) -> Path:
    """A database with a busy day in it."""
    path = tmp_path / "day.db"
    store = SqlStore(path, CARDS)
    fill(store)
    store.close()
    return path


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


# ---- demo


def memory_of(process: subprocess.Popen) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_the_demo_shows_alerts_tells_watchers_and_ends_with_its_accounts(tmp_path):
    arguments = ["demo", "--port", "0", "--for", "10m", "--speed", "3000", "--no-browser", "--data", str(tmp_path)]
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        address = demo.stdout.readline().split()[2]
        assert address.startswith("http://127.0.0.1:")
        with httpx.stream("GET", f"{address}/v1/stream", timeout=ANSWER) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.iter_lines()
            assert "event: alert" in lines
            told = json.loads(next(lines).removeprefix("data: "))
        shown = httpx.get(f"{address}/v1/alerts/{told['id']}", timeout=ANSWER).json()
        assert shown["rule"] == told["rule"]
        assert httpx.get(f"{address}/", timeout=ANSWER).status_code == 200
        assert httpx.get(f"{address}/readyz", timeout=ANSWER).json() == {"status": "ready"}
        customer = httpx.get(f"{address}/v1/customers/{told['customer']}", timeout=ANSWER).json()
        assert customer["facts"]
        judged = 'coordwatch_acts_total{rule="promo-during-open-complaint"} '
        wait_until(lambda: judged in httpx.get(f"{address}/metrics", timeout=ANSWER).text, "a promotion to be judged")
        wait_until(lambda: events_in(tmp_path) > 50, "more than fifty events")
        assert memory_of(demo) < MEMORY_MAX
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=180)
    assert (demo.returncode, err) == (0, "")
    assert "promo-during-open-complaint" in out
    assert "0 dead-lettered" in out
    first = events_in(tmp_path)
    assert first > 50
    again = subprocess.run([*COMMAND, *arguments[:4], "1s", *arguments[5:]], capture_output=True, text=True, check=True)
    assert again.stderr == ""
    assert events_in(tmp_path) >= first


def events_in(folder: Path) -> int:
    store = SqlStore(folder / "demo.db", {})
    tallies = store.tallies()
    store.close()
    parts = ("applied", "duplicate", "dropped", "parked", "dead_lettered")
    assert tallies["in"] == sum(tallies.get(part, 0) for part in parts)
    return tallies["in"]


@pytest.mark.parametrize("arguments", [["--for", "soon"], ["--port", "70000"], ["--speed", "0"], ["--customers", "0"]])
def test_a_demo_that_cannot_be_says_why(capsys, arguments):
    code, _, err = run(capsys, "demo", "--no-browser", *arguments)
    assert code == 2
    assert arguments[0] in err


def test_a_taken_port_is_said_with_the_next_move(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = run(capsys, "demo", "--no-browser", "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "take another port" in err


# ---- serve


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bind: 0.0.0.0:1", "needs a secret"),
        ("rules: [none]", "there is no such file"),
        ("inputs: [{kind: http, source: pigeon}]", "no mapping is called 'pigeon'"),
        ("inputs: [{kind: http, carries: [pigeon.flew]}]", "no event type is called 'pigeon.flew'"),
        ("database: none/here.db", "cannot be written"),
    ],
)
def test_serve_refuses_what_cannot_be_with_exit_2(capsys, tmp_path, text, words):
    config = tmp_path / "serve.yaml"
    config.write_text(f"{text}\n" if "bind" in text else f"bind: 127.0.0.1:0\n{text}\n")
    code, _, err = run(capsys, "serve", "--config", str(config))
    assert (code, words in err) == (2, True), err


def test_serve_reads_a_file_once_in_any_shape_and_ends_when_asked(tmp_path):
    payloads = [
        {"email": "kim@example.com", "timestamp": 1772440000 + n, "event": "processed", "sg_event_id": f"e{n}",
         "sg_message_id": f"m{n}", "category": ["newsletter"]}
        for n in range(30)
    ]  # fmt: skip
    inbox = tmp_path / "mail.ndjson"
    inbox.write_text("".join(json.dumps(one) + "\n" for one in payloads) + "\n{broken\n\n")
    (tmp_path / "serve.yaml").write_text(
        "bind: 127.0.0.1:0\ninputs:\n"
        "  - {kind: file, name: mail, path: mail.ndjson, source: sendgrid, follow: false}\n  - {kind: http}\n"
    )
    serve = [*COMMAND, "serve", "--config", str(tmp_path / "serve.yaml"), "--quiet"]
    with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as service:
        address = service.stderr.readline().split()[-1]

        def counted() -> float:
            text = httpx.get(f"{address}/metrics", timeout=ANSWER).text
            return float(next(line for line in text.splitlines() if line.startswith("coordwatch_events_in")).split()[1])

        wait_until(lambda: counted() >= 31, "the whole file")
        assert counted() == 31
        (letter,) = httpx.get(f"{address}/v1/dead-letters", timeout=ANSWER).json()["items"]
        assert (letter["preview"], letter["origin"]) == ("{broken", "mail")
        service.send_signal(signal.SIGTERM)
        assert service.wait(120) == 0
    assert (tmp_path / "coordwatch.db.key").stat().st_mode & 0o777 == 0o600


def test_a_database_whose_key_is_gone_is_not_served(capsys, tmp_path, database):
    config = tmp_path / "serve.yaml"
    config.write_text(f"bind: 127.0.0.1:0\ndatabase: {database.name}\n")
    code, _, err = run(capsys, "serve", "--config", str(config))
    assert (code, "put it back" in err) == (2, True)


# ---- doctor


def test_doctor_finds_nothing_wrong_with_a_sound_site(capsys, tmp_path):
    config = tmp_path / "serve.yaml"
    config.write_text("bind: 127.0.0.1:0\ninputs: [{kind: http}]\n")
    code, out, err = run(capsys, "doctor", "--config", str(config))
    assert (code, err) == (0, "")
    assert "time zones 20" in out
    assert {line.split()[0] for line in out.splitlines()} == {"ok"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["serve.yaml"]


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("databse: x", "config"),
        ("rules: [none]", "rules"),
        ("sources: {catalogue: none.yaml}", "sources"),
        ("inputs: [{kind: file, name: a, path: none, follow: false}]", "inputs"),
        ("database: none/here.db", "database"),
        ("inputs: [{kind: http, source: pigeon}]", "sources"),
    ],
)
def test_doctor_says_what_is_bad_and_the_next_move(capsys, tmp_path, text, about):
    config = tmp_path / "serve.yaml"
    config.write_text(f"bind: 127.0.0.1:0\n{text}\n")
    code, out, err = run(capsys, "doctor", "--config", str(config), "--json")
    checks = [json.loads(line) for line in out.splitlines()]
    bad = [check for check in checks if check["mark"] == "bad"]
    assert (code, [check["about"] for check in bad]) == (1, [about]), out
    assert bad[0]["move"]
    assert "1 of" in err


def test_doctor_warns_of_rules_that_nobody_feeds(capsys, tmp_path):
    config = tmp_path / "serve.yaml"
    config.write_text("bind: 127.0.0.1:0\ninputs: [{kind: http, source: sendgrid}]\n")
    code, out, _ = run(capsys, "doctor", "--config", str(config))
    assert code == 0
    assert "bot-loop is disabled: no configured source carries" in out


# ---- alerts


def test_alerts_are_listed_shown_and_acted_on(capsys, database):
    where = ["--database", str(database)]
    code, out, err = run(capsys, "alerts", "list", "--status", "open", "--limit", "3", *where)
    rows = [json.loads(line) for line in out.splitlines()]
    assert (code, len(rows), err.startswith("more: --cursor ")) == (0, 3, True)
    _, following, _ = run(capsys, "alerts", "list", "--status", "open", "--cursor", err.split()[-1], *where)
    assert rows[0]["id"] not in following
    alert = rows[0]["id"]
    code, out, _ = run(capsys, "alerts", "ack", alert, "--note", "mine", "--actor", "ada@ops.test", *where)
    assert (code, json.loads(out)["status"]) == (0, "acknowledged")
    code, _, err = run(capsys, "alerts", "resolve", alert, "--version", "1", *where)
    assert (code, "at version 2" in err) == (2, True)
    code, out, _ = run(capsys, "alerts", "snooze", alert, "--until", "4h", *where)
    assert json.loads(out)["snoozed_until"].endswith("Z")
    code, out, _ = run(capsys, "alerts", "show", alert, *where)
    assert [entry["action"] for entry in json.loads(out)["audit"]] == ["raise", "acknowledge", "snooze"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--status", "angry"],
        ["list", "--since", "yesterday"],
        ["list", "--cursor", "x"],
        ["show", "nothing"],
        ["ack", "nothing"],
    ],
)
def test_what_cannot_be_asked_of_alerts_is_exit_2(capsys, database, arguments):
    code, out, err = run(capsys, "alerts", *arguments, "--database", str(database))
    assert (code, out) == (2, "")
    assert err.startswith("coordwatch alerts: ")


def test_alerts_without_a_database_say_so(capsys, tmp_path):
    code, _, err = run(capsys, "alerts", "list", "--database", str(tmp_path / "none.db"))
    assert (code, "there is no database" in err) == (2, True)
    assert list(tmp_path.iterdir()) == []
