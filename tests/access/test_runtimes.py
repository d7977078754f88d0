"""Both ways to run the program have the same door: accounts made on the command line beside it, sessions, tokens, the trail."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager

import httpx

from coordwatch.access.accounts import SESSION_COOKIE
from tests.access.people import PASSWORD
from tests.services.waiting import wait_until
from tests.worker.house import Worker

KEY = "an identity key of no site at all"
SERVE = "{database: site.db, bind: '127.0.0.1:0', access: {accounts: true}, inputs: [{kind: http}]}"
WORKER = """\
kafka: {{bootstrap: "{bootstrap}", prefix: {prefix}.cw, partitions: 1, replication: 1, session_timeout: 30s}}
identity: {{mode: trusted_id}}
database: site.db
bind: 127.0.0.1:0
access: {{accounts: true}}
inputs: [{{kind: kafka, name: tools, topic: {source}, source: canonical}}]
"""


def command(config, *words, password=""):
    done = subprocess.run(
        [sys.executable, "-m", "coordwatch", *words, "--config", str(config)],
        check=False, input=f"{password}\n", capture_output=True, text=True, timeout=120, env={**os.environ, "COORDWATCH_IDENTITY__KEY": KEY},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def running(config, *words):
    """The address of a running program."""
    program = [sys.executable, "-m", "coordwatch", *words, "--config", str(config)]
    worker = Worker(program, config.with_suffix(".log"), {**os.environ, "COORDWATCH_IDENTITY__KEY": KEY})
    found = []

    def answers():
        assert worker.process.poll() is None, worker.said
        found[:] = re.findall(r"(http://127\.0\.0\.1:\d+)", worker.said)
        return found

    try:
        wait_until(answers, "the program answers", 120)
        yield found[-1]
    finally:
        worker.close()


def signed_in(client, config):
    """The cookie of somebody who was added while the program runs."""
    assert client.get("/livez").status_code == 200
    assert client.get("/v1/alerts").status_code == 401
    assert client.get("/").headers["location"] == "/sign-in"
    command(config, "users", "add", "ada", "--role", "operator", password=PASSWORD)
    answer = client.post(
        "/sign-in", data={"name": "ada", "password": PASSWORD}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    mine = {"Cookie": f"{SESSION_COOKIE}={re.search(r'=([^;]+)', answer.headers['set-cookie'])[1]}"}
    assert client.get("/v1/alerts", headers=mine).status_code == 200
    assert client.get("/v1/audit", headers=mine).status_code == 403
    return mine


def test_serve_lets_in_who_is_added_and_shuts_out_who_is_disabled_while_it_runs(tmp_path):
    config = tmp_path / "site.yaml"
    config.write_text(SERVE)
    with running(config, "serve") as address, httpx.Client(base_url=address, timeout=60) as client:
        mine = signed_in(client, config)
        assert "Sign out" in client.get("/", headers=mine).text
        token = command(config, "tokens", "create", "auditor", "--scope", "audit")
        links = client.get("/v1/audit", headers={"Authorization": f"Bearer {token}"}).json()["items"]
        assert [link["kind"] for link in links[:3]] == ["token.make", "session.begin", "account.make"]
        command(config, "users", "disable", "ada")
        assert client.get("/v1/alerts", headers=mine).status_code == 401


def test_a_worker_has_the_same_door(tmp_path, topics):
    config = tmp_path / "site.yaml"
    config.write_text(WORKER.format(bootstrap=topics.bootstrap, prefix=topics.prefix, source=topics.create("tools", 1)))
    with (
        running(config, "worker", "--runtime", "plain") as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        signed_in(client, config)
