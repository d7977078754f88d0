"""The settings of the webhook door: what is told of a mistake, and that no secret stands in a file or in a message."""

import pytest

from coordwatch.app import build
from coordwatch.app.webhooks import hooks_of
from coordwatch.errors import CoordwatchError, DocumentError, PermanentError
from coordwatch.settings import read_settings
from tests.webhooks import vendors
from tests.webhooks.serving import serving

SECRET = "a-secret-of-nobody-1"


@pytest.fixture
def read(tmp_path):
    def one(*inputs: str, more: str = ""):
        path = tmp_path / "coordwatch.yaml"
        path.write_text("bind: 127.0.0.1:0\n" + more + "inputs:\n" + "".join(f"  - {text}\n" for text in inputs))
        return read_settings(path)

    return one


def test_a_shipped_tool_needs_its_name_and_a_secret(read, monkeypatch):
    monkeypatch.setenv("COORDWATCH_WEBHOOKS__SHOPIFY", f"{SECRET} the-next-secret")
    hooks = hooks_of(read("{kind: webhook, name: shopify}"))
    with serving(*hooks.values()) as place:
        for secret in (SECRET, "the-next-secret"):
            body = b'{"no": "order"}'
            assert place.post("shopify", body, vendors.shopify(body, secret, 0)).status_code == 200


def test_secrets_come_from_files_too_one_a_line(read, tmp_path, monkeypatch):
    (tmp_path / "secret").write_text(f"{SECRET}\n\n another secret of 2 words \n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "coordwatch_webhooks__my_shop").write_text("from-the-folder\n")
    monkeypatch.setenv("COORDWATCH_SECRETS_DIR", str(tmp_path / "folder"))
    settings = read("{kind: webhook, name: my-shop, source: shopify, secret_files: [secret]}")
    with serving(*hooks_of(settings).values()) as place:
        for secret in (SECRET, "another secret of 2 words", "from-the-folder"):
            assert place.post("my-shop", b"{}", vendors.shopify(b"{}", secret, 0)).status_code == 200
        assert place.post("my-shop", b"{}", vendors.shopify(b"{}", "another", 0)).status_code == 401


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{kind: webhook, name: shopify}", "set COORDWATCH_WEBHOOKS__SHOPIFY, or write the file"),
        ("{kind: webhook, name: shop}", "write check: with one of: aftership, basic"),
        ("{kind: webhook, name: shop, check: shopfy}", "did you mean 'shopify'?"),
        ("{kind: webhook, name: mandrill}", "write url: with the address"),
        ("{kind: webhook, name: shopify, url: 'https://x.example.com'}", "take url: away"),
        ("{kind: webhook, name: shop, check: header}", "write header: with its name"),
        ("{kind: webhook, name: shopify, header: X-Token}", "take header: away"),
        ("{kind: webhook, name: shopify, secret_files: [gone]}", "cannot be read: No such file"),
    ],
)
def test_what_is_missing_is_said_with_the_next_move(read, text: str, words: str):
    with pytest.raises(PermanentError) as refused:
        hooks_of(read(text))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "secret", "words"),
    [
        ("{kind: webhook, name: postmark}", "tool:short", "at least 16 characters"),
        ("{kind: webhook, name: postmark}", "without-a-colon-1", "name:password"),
        ("{kind: webhook, name: sendgrid}", "not-a-key", "verification key"),
        ("{kind: webhook, name: resend}", "whsec_%%", "whsec_"),
        ("{kind: webhook, name: shopify}", " ".join("abcdefghij"), "the most is 8"),
    ],
)
def test_a_secret_that_cannot_be_used_is_said_and_not_shown(read, monkeypatch, text: str, secret: str, words: str):
    settings = read(text)
    name = text.partition("name: ")[2].rstrip("}")
    monkeypatch.setenv(f"COORDWATCH_WEBHOOKS__{name.upper()}", secret)
    with pytest.raises(PermanentError) as refused:
        hooks_of(read(text))
    assert words in str(refused.value)
    assert secret not in str(refused.value)
    assert secret not in repr(settings)


def test_a_secret_in_the_file_is_refused_with_its_place_and_not_repeated(read):
    with pytest.raises(DocumentError) as refused:
        read("{kind: webhook, name: shop}", more=f"webhooks: {{my_shop: {SECRET}}}\n")
    (problem,) = map(str, refused.value.problems)
    assert ":2:1: the secret of the webhook 'my_shop' may not stand in this file" in problem
    assert "set COORDWATCH_WEBHOOKS__MY_SHOP" in problem
    assert SECRET not in problem


def test_a_secret_for_no_webhook_and_a_webhook_for_no_mapping_are_said(read, monkeypatch, tmp_path):
    monkeypatch.setenv("COORDWATCH_WEBHOOKS__SHOPIFI", SECRET)
    with pytest.raises(PermanentError, match="COORDWATCH_WEBHOOKS__SHOPIFI is set, and no input"):
        hooks_of(read("{kind: webhook, name: shopify}"))
    monkeypatch.delenv("COORDWATCH_WEBHOOKS__SHOPIFI")
    monkeypatch.setenv("COORDWATCH_WEBHOOKS__SHOP", SECRET)
    with pytest.raises(CoordwatchError, match="no mapping is called 'shop'; write source: with one of"):
        build(read("{kind: webhook, name: shop, check: bearer}"))
