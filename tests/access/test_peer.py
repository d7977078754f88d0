"""Where a request comes from: only our own proxies may say it of others, and guesses are counted by it."""

import pytest
from starlette.datastructures import Headers

from coordwatch.adapters.http_api.peer import peer_of
from coordwatch.app.pace import Guesses
from coordwatch.clock import ManualClock
from coordwatch.errors import DocumentError
from coordwatch.settings import read_settings
from coordwatch.settings.access import AccessSettings
from tests.access.whole import Known
from tests.api.build import an_api
from tests.build import NOW

OURS = AccessSettings(proxies=("10.0.0.0/24", "fd00:1::/64")).own_proxies
TOKEN = "correct-horse-battery"


@pytest.mark.parametrize(
    ("client", "forwarded", "peer"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.7", "", "10.0.0.7"),
        ("10.0.0.7", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.7", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.7", "1.2.3.4, 198.51.100.1, 10.0.0.8", "198.51.100.1"),
        ("10.0.0.7", "10.0.0.9", "10.0.0.9"),
        ("10.0.0.7", "198.51.100.1, nonsense", "10.0.0.7"),
        ("10.0.0.7", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.7", "[2001:db8:1:2::3]:4711", "2001:db8:1:2::/64"),
        ("10.0.0.7", "2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.7", "::ffff:198.51.100.1", "198.51.100.1"),
        ("fd00:1::9", "198.51.100.1", "198.51.100.1"),
        ("fd00:2::9", "198.51.100.1", "fd00:2::/64"),
        ("10.0.0.7", ", ".join(["198.51.100.1"] + ["10.0.0.8"] * 60), "10.0.0.8"),
        ("", "198.51.100.1", ""),
    ],
)
def test_an_address_is_believed_only_of_our_own_proxies_and_only_the_nearest(client, forwarded, peer):
    scope = {"client": (client, 4711) if client else None}
    assert peer_of(scope, Headers({"X-Forwarded-For": forwarded} if forwarded else {}), OURS) == peer


@pytest.mark.parametrize("proxy", ["0.0.0.0/0", "::/0", "128.0.0.0/1", "nonsense", "10.0.0.1/8"])
def test_a_proxy_that_could_be_anybody_does_not_start(tmp_path, proxy):
    path = tmp_path / "cw.yaml"
    path.write_text(f"access: {{proxies: ['{proxy}']}}")
    with pytest.raises(DocumentError, match="proxies"):
        read_settings(path)


def test_guesses_of_the_token_are_so_many_a_minute_and_then_not_even_looked_at():
    clock = ManualClock(NOW)
    client = an_api(token=TOKEN, guesses=Guesses(5, clock), proxies=OURS, filled=True).client

    def ask(secret, **headers):
        return client.get("/v1/rules", headers={"Authorization": f"Bearer {secret}", **headers})

    assert [ask(TOKEN).status_code for _ in range(9)] == [200] * 9, "what is right is no guess"
    answers = [ask(f"guess {n}") for n in range(7)]
    assert [one.status_code for one in answers] == [401] * 5 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert ask(TOKEN).status_code == 429, "a right guess would be one too"
    assert client.get("/livez", headers={"Authorization": "Bearer guess"}).status_code == 200
    assert client.get("/v1/rules").status_code == 401
    clock.move_to(NOW + 60_000_000)
    assert ask(TOKEN).status_code == 200


def test_a_program_with_a_token_of_its_own_is_not_shut_out_by_whoever_guesses_at_its_address():
    client = an_api(token=TOKEN, accounts=Known(), guesses=Guesses(5, ManualClock(NOW)), filled=True).client
    found = [client.get("/v1/rules", headers={"Authorization": f"Bearer guess {n}"}).status_code for n in range(6)]
    assert found == [401] * 5 + [429]
    assert client.get("/v1/rules", headers={"Authorization": "Bearer token-to-read"}).status_code == 200
    assert client.get("/v1/rules", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 429
