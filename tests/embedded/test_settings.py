"""Settings: every mistake with its place, no open door without a secret."""

import pytest

from coordwatch.errors import DocumentError
from coordwatch.events.times import DAY, MINUTE
from coordwatch.settings import FileInput, read_settings


@pytest.fixture
def read(tmp_path):
    def one(text: str):
        path = tmp_path / "coordwatch.yaml"
        path.write_text(text)
        return read_settings(path)

    return one


def problems(read, text: str) -> list[str]:
    with pytest.raises(DocumentError) as refused:
        read(text)
    return [str(problem).partition("coordwatch.yaml")[2] for problem in refused.value.problems]


def test_an_empty_file_is_the_defaults(read, tmp_path):
    settings = read("")
    assert (settings.host, settings.port) == ("127.0.0.1", 8484)
    assert settings.database == tmp_path / "coordwatch.db"
    assert settings.durable


def test_paths_are_seen_from_the_file_and_durations_are_read(read, tmp_path):
    settings = read(
        "lateness: 3d\nrules: [mine]\nsources: {mappings: [m], catalogue: c.yaml}\n"
        "inputs:\n  - {kind: file, name: shop, path: in/a.ndjson, disorder: 5m, dark_after: 1d12h}\n"
    )
    (shop,) = settings.inputs
    assert isinstance(shop, FileInput)
    assert (shop.path, shop.disorder, shop.dark_after) == (tmp_path / "in/a.ndjson", 5 * MINUTE, 36 * DAY // 24)
    assert settings.rules == (tmp_path / "mine",)
    assert settings.sources.catalogue == tmp_path / "c.yaml"
    assert settings.lateness == 3 * DAY


def test_every_mistake_is_told_at_once_with_its_place(read):
    found = problems(read, "databse: x\nlateness: 5\ninputs:\n  - {kind: file, name: a, pth: x}\n  - {kind: pigeon}\n")
    assert any(one.startswith(":1:1: 'databse' is no setting (did you mean 'database'?)") for one in found)
    assert any(one.startswith(":2:1: lateness: write a duration such as 90s") for one in found)
    assert any(one.startswith(":4:27: 'inputs.0.pth' is no setting (did you mean 'path'?)") for one in found)
    assert any(one.startswith(":4:5: 'inputs.0.path' is missing") for one in found)
    assert any(one.startswith(":5:5: inputs.1: ") and "'file', 'http', 'simulator'" in one for one in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("identity: {phone_region: Germany}", "'Germany' is no region of telephone numbers"),
        ("identity: {phone_regions: {desk: XX}}", "'XX' is no region of telephone numbers"),
        ("identity: {key: 0123456789abcdef, key_id: 'a:b'}", "cannot be the id of a key"),
        ("identity: {key: 0123456789abcdef, old_keys: [{key: short}]}", "must have 16 to 64 bytes"),
        ("identity: {old_keys: [{key: 0123456789abcdef}]}", "'old_keys' need a 'key'"),
        ("bind: 0.0.0.0:8484", "needs a secret"),
        ("bind: watch.example.com:80", "needs a secret"),
        ("bind: 127.0.0.1", "no address and port"),
        ("bind: '127.0.0.1:99999'", "no address and port"),
        ("token: short", "at least 16"),
        ("identity: {key: short}", "16 to 64 bytes"),
        ("identity: {mode: guess}", "mode"),
        ("inputs: [{kind: http}, {kind: http}]", "two inputs are called 'http'"),
        ("inputs: [{kind: simulator}, {kind: file, name: a, path: b}]", "its own time"),
        ("inputs: [{kind: http, name: No Good}]", "name"),
        ("durable: no", "boolean"),
        ("- a list", "one mapping"),
        ("a: b\n---\nc: d", "one mapping"),
        ("bind: [", "YAML"),
        ("inputs: {kind: http}", "inputs: a list belongs here: a line '- ...' for each"),
        (
            "inputs: [{kind: htpp}]",
            "there is no kind 'htpp', but 'file', 'http', 'simulator', 'webhook' and 'kafka' (did you mean 'http'?)",
        ),
        ("durable: maybe", "durable: write true or false"),
        ("identity: {fanout_max: many}", "identity.fanout_max: write a whole number"),
        ("sources: nothing", "sources: names with values belong here"),
        (
            "identity:\n\tmode: graph",
            ":2:1: not valid YAML: found character that cannot start any token (indent with blanks: this is a tab)",
        ),
        ("inputs:\n  - kind: http\n    name: a\n   source: rasa", "lines that belong together begin in one column"),
        (
            "durable: true\nbind:127.0.0.1:80\nrules: []",
            ":2:1: not valid YAML: could not find expected ':' (a key ends with a colon and a blank",
        ),
        ("bind: 127.0.0.1: 80", "quote a text that holds a colon and a blank"),
    ],
)
def test_what_cannot_be_is_refused(read, text, words):
    assert any(words in one for one in problems(read, text))


def test_the_environment_wins_over_the_file_and_its_mistakes_say_so(read, monkeypatch):
    monkeypatch.setenv("COORDWATCH_TOKEN", "a secret of sixteen or more")
    monkeypatch.setenv("COORDWATCH_BIND", "0.0.0.0:9000")
    settings = read("bind: 127.0.0.1:1")
    assert (settings.bind, settings.token.get_secret_value()) == ("0.0.0.0:9000", "a secret of sixteen or more")
    assert "a secret" not in repr(settings)
    monkeypatch.setenv("COORDWATCH_IDENTITY__KEY", "short and secret")
    monkeypatch.setenv("COORDWATCH_SETTLE", "soon")
    (problem,) = problems(read, "")
    assert "settle (from the environment or the secrets)" in problem


def test_a_secret_may_lie_in_a_file(read, monkeypatch, tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "coordwatch_token").write_text("from a mounted secret\n")
    monkeypatch.setenv("COORDWATCH_SECRETS_DIR", str(tmp_path / "secrets"))
    assert read("bind: 0.0.0.0:1").token.get_secret_value() == "from a mounted secret"


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    for name in ("none.yaml", "bytes.yaml"):
        with pytest.raises(DocumentError, match="cannot be read"):
            read_settings(tmp_path / name)


KEY = "identity: {key: 0123456789abcdef}\n"


def test_a_database_is_a_file_or_a_postgresql_whose_password_comes_from_outside(read, monkeypatch, tmp_path):
    text = f"database: postgresql://cw@db.example.com:6432/inbox?sslmode=require\n{KEY}"
    database = read(text).database
    assert str(database) == "postgresql://cw@db.example.com:6432/inbox"
    assert (database.options, database.password) == ((("sslmode", "require"),), None)
    monkeypatch.setenv("COORDWATCH_DATABASE_PASSWORD", "hunter2hunter2")
    settings = read(text)
    assert settings.database.password == "hunter2hunter2"
    assert "hunter2" not in f"{settings!r}{settings.database}"
    monkeypatch.delenv("COORDWATCH_DATABASE_PASSWORD")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "coordwatch_database_password").write_text("from-a-file\n")
    monkeypatch.setenv("COORDWATCH_SECRETS_DIR", str(tmp_path / "secrets"))
    assert read(text).database.password == "from-a-file"
    monkeypatch.setenv("COORDWATCH_DATABASE", "postgresql://cw:a%40b@127.0.0.1/other")
    monkeypatch.delenv("COORDWATCH_SECRETS_DIR")
    named = read(text).database
    assert (named.name, named.port, named.password) == ("other", 5432, "a@b")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("database: postgresql://cw:hunter2@db/inbox", "the password of the database may not stand in this file"),
        (
            "database: postgresql://cw@db/inbox?password=hunter2",
            "the password of the database may not stand in this file",
        ),
        ("database: mysql://cw:hunter2@db/inbox", "the password of the database may not stand in this file"),
        ("database_password: hunter2", "the password of the database may not stand in this file"),
        ("database: mysql://db/inbox", "'mysql://' is no database that can be used"),
        ("database: postgresql://db", "names no database"),
        ("database: postgresql://db:port/x", "cannot be read"),
        ("database: [a]", "name a file, or a URL"),
        ("database: postgresql://cw@db/inbox", "set COORDWATCH_IDENTITY__KEY"),
    ],
)
def test_a_database_that_cannot_be_is_told_and_no_password_repeated(read, text, words):
    found = "\n".join(problems(read, text))
    assert words in found
    assert "hunter2" not in found
