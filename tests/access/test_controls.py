"""Controls that no other test looks at; docs/security.md says which test holds which."""

import ast
import re
import time

import pytest

from coordwatch.adapters.channels.mail import html_of
from coordwatch.adapters.channels.slack import layout
from coordwatch.adapters.csv_rows import csv_lines
from coordwatch.cli import main
from coordwatch.documents import plain, read_documents
from coordwatch.errors import DocumentError, PermanentError
from coordwatch.notify.message import Line, Message
from coordwatch.notify.wording import text_of
from coordwatch.settings import demo_settings, read_settings
from tests.api.build import an_api
from tests.tidy.tree import PACKAGE, ROOT, name_of, python_files, tree_of

TEMPLATES = sorted((PACKAGE / "adapters" / "pages" / "templates").glob("*.html"))
SCRIPT = PACKAGE / "adapters" / "pages" / "static" / "pages.js"
DOCUMENT = ROOT / "docs" / "security.md"
HOSTILE = [
    "<!here>", "<!channel>", "<!everyone>", "<@U012AB3CD>", "<#C012AB3CD>", "<https://evil.example|Open in coordwatch>", "&lt;!here&gt;",
    "*bold* _x_ ~y~ `z`", "{{7*7}}", "{0.__class__}", "%(x)s", "%s%n", "${jndi:ldap://x}", "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "a\r\nBcc: all@example.com", "\x1b[31mred",
]  # fmt: skip


def calls(names):
    """Where any of these functions is called by its bare name, or by an attribute of a module."""
    return [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files("src")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id in names)
            or (isinstance(node.func, ast.Attribute) and ast.unparse(node.func) in names)
        )
    ]


def test_no_text_becomes_a_program():
    """Rules and mappings become functions by way of typed trees, in three places that never see text of theirs."""
    assert {one.partition(":")[0] for one in calls({"eval", "exec", "compile"})} <= {
        "src/coordwatch/rules/compile_expression.py",
        "src/coordwatch/rules/generate.py",
        "src/coordwatch/sources/code.py",
    }
    banned = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "xml", "lxml", "ctypes", "code"}
    found = [
        f"{name_of(path)}: {name}"
        for path in python_files("src")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or node.names[0].name]
        if name.partition(".")[0] in banned
    ]
    # `replay` hands work to processes that it started itself, over pipes that nobody else has.
    assert [one for one in found if "adapters/replay_jobs.py" not in one] == []
    assert calls({"os.system", "os.popen", "subprocess.run", "subprocess.Popen", "subprocess.call"}) == []


def test_no_page_takes_text_for_markup_and_no_script_is_written_into_one():
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", text), path.name
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\bstyle=|javascript:", text), path.name
    script = SCRIPT.read_text(encoding="utf-8")
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert word not in script
    assert {one.partition(":")[0] for one in calls({"Markup"})} <= {
        name_of(path) for path in (PACKAGE / "adapters" / "pages").glob("*.py")
    }


def test_no_page_makes_a_link_of_what_an_event_says():
    """Every link begins inside the site, so that no address out of an event can be one."""
    for path in TEMPLATES:
        for link in re.findall(r'(?:href|src|action|formaction)="([^"]*)"', path.read_text(encoding="utf-8")):
            begins = link.startswith(("/", "#", "?", "{{ asset(")) and not link.startswith("//")
            assert begins or re.fullmatch(r"\{[{%].*", link), f"{path.name}: {link}"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_an_event_says_arrives_on_every_channel_as_it_is(text):
    line = Line("a-1", "promo", text, "high", "open", text, text, text, text, 0)
    message = Message("m-1", "c", "alert", 1, "open", 0, False, 1, 1, (line,), ())
    slack = layout(message, "")
    assert not re.search(r"<[!@#]", slack["text"])
    assert "<https://evil" not in slack["text"]

    def kinds(node):
        if isinstance(node, dict):
            yield from ([node["type"]] if "type" in node else [])
        for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from kinds(one)

    assert "mrkdwn" not in set(kinds(slack.get("attachments", slack.get("blocks", []))))
    said = text_of(message, "")
    assert "49" not in said.replace("a-1", "")
    assert "class '" not in said
    html = html_of(message, "")
    assert "<script" not in html
    assert "<img" not in html


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", ' =HYPERLINK("x")', "＝1", "﹦1", "\x00=1", "\x0b=1", "\u200b=1",
     "\u3000=1", "\u2003 =1", "\u202e=1", "\ufeff=1", "'=1"],
)  # fmt: skip
def test_no_cell_of_an_export_is_a_formula(cell):
    _, row = csv_lines(["a"], [[cell]])
    assert row.startswith("\"'")


def test_a_yaml_bomb_is_refused_at_once():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
    )
    began = time.process_time()
    with pytest.raises(DocumentError):
        read_documents(bomb, "bomb.yaml")
    (tagged,) = read_documents("!!python/object/apply:os.system ['true']", "object.yaml")
    assert plain(tagged) == ["true"], "a tag makes nothing"
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    "value", ["' OR 1=1 --", "'; DROP TABLE alerts; --", '" UNION SELECT * FROM users --', "\\", "%", "_", "\x00"]
)
def test_what_is_asked_for_is_a_value_and_never_a_statement(tmp_path, value):
    api = an_api(filled=True, database=tmp_path / "a.db")
    for name in ("rule", "tool", "customer", "campaign", "attribution"):
        answer = api.client.get("/v1/alerts", params={name: value})
        assert (answer.status_code, answer.json()["items"]) == (200, [])
    answer = api.client.get("/v1/alerts", params={"q": value})
    assert answer.status_code == 200
    assert len(api.client.get("/v1/alerts").json()["items"]) > 5
    api.store.close()


WEAK = [
    "",
    "short",
    "changeme-changeme",
    "passwordpassword",
    "0123456789abcdef",
    "aaaaaaaaaaaaaaaaaaaa",
    "secret-token-example",
]


@pytest.mark.parametrize("token", WEAK)
def test_a_secret_that_is_known_or_weak_does_not_start(tmp_path, monkeypatch, token):
    path = tmp_path / "cw.yaml"
    path.write_text("bind: 0.0.0.0:8484\n")
    monkeypatch.setenv("COORDWATCH_TOKEN", token)
    with pytest.raises(DocumentError, match="token"):
        read_settings(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bind: 0.0.0.0:8484", "needs a secret"),
        ("bind: '[::]:8484'", "needs a secret"),
        ("bind: 192.168.1.5:8484", "needs a secret"),
        ("public_url: https://cw.example.com", "others come here by a proxy"),
        ("{bind: 0.0.0.0:8484, access: {accounts: true}}", "an encrypted way"),
        ("{bind: 0.0.0.0:8484, access: {accounts: true}, public_url: 'http://cw.example.com'}", "an encrypted way"),
        ("{access: {oidc: {issuer: 'https://login.example.com', client_id: cw}}}", "nobody comes in"),
        (
            "{access: {oidc: {issuer: 'https://l.example.com', client_id: cw, groups: {a: viewer}, scopes: [profile]}}}",
            "openid",
        ),
        ("oidc_secret: canary-in-the-file", "may not stand in this file"),
        ("access: {acounts: true}", "did you mean 'accounts'"),
    ],
)
def test_a_door_that_would_stand_open_does_not_start(tmp_path, text, words):
    path = tmp_path / "cw.yaml"
    path.write_text(text)
    with pytest.raises(DocumentError) as refused:
        read_settings(path)
    assert words in str(refused.value)
    assert "canary" not in str(refused.value)


def test_the_demo_is_open_on_this_machine_only(monkeypatch):
    assert demo_settings({"bind": "127.0.0.1:0"}).host == "127.0.0.1"
    monkeypatch.setenv("COORDWATCH_DEMO_BIND", "0.0.0.0:8484")
    with pytest.raises(PermanentError, match="needs a secret"):
        demo_settings({"bind": "127.0.0.1:0"})
    monkeypatch.setenv("COORDWATCH_DEMO_TOKEN", "kettle-moss-orbit-seven")
    assert demo_settings({"bind": "127.0.0.1:0"}).host == "0.0.0.0"


def test_accounts_and_tokens_are_kept_from_the_command_line(tmp_path, monkeypatch, capsys):
    path = tmp_path / "cw.yaml"
    path.write_text("{database: cw.db, access: {accounts: true}}")

    class Typed:
        def isatty(self):
            return False

        def readline(self):
            return "kettle-moss-orbit-seven\n"

    monkeypatch.setattr("sys.stdin", Typed())
    config = ["--config", str(path)]
    said = []
    for words, code in (
        (["users", "add", "ada", "--role", "operator"], 0),
        (["users", "add", "ada"], 2),
        (["users", "passwd", "ada"], 0),
        (["users", "role", "ada", "--role", "privacy"], 0),
        (["users", "disable", "ada"], 0),
        (["users", "enable", "ada"], 0),
        (["users", "sign-out", "ada"], 0),
        (["users", "list"], 0),
        (["users", "passwd", "nobody"], 2),
        (["tokens", "create", "sensor", "--scope", "ingest", "--for", "1d"], 0),
        (["tokens", "list"], 0),
        (["tokens", "revoke", "nothing"], 2),
    ):
        assert main([*words, *config]) == code, words
        said.append(capsys.readouterr())
    assert '"role":"privacy"' in said[7].out
    secret = said[9].out.strip()
    assert secret.startswith("cwt_")
    assert secret not in said[10].out
    token = re.search(r'"id":"(\w+)"', said[10].out)[1]
    assert main(["tokens", "revoke", token, *config]) == 0
    assert "kettle" not in "".join(one.out + one.err for one in said)


def test_every_control_names_a_test_that_is_there_or_a_reason():
    """The table of docs/security.md: forty-five controls, in order, each with its tests or with why there is none."""
    rows = re.findall(r"^\| (\d+) \|(.*)\|(.*)\|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, 46))
    there = {
        f"{name_of(path)}::{node.name}"
        for path in python_files("tests")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    named = [name for _, _, proof in rows for name in re.findall(r"`(tests/[^`]+)`", proof)]
    assert [name for name in named if name not in there] == []
    assert [
        number for number, _, proof in rows if not re.findall(r"`tests/[^`]+`", proof) and "Reason:" not in proof
    ] == []
    assert len(set(named)) > 60
