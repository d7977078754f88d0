"""The Kafka part of the settings: what fits together, and secrets that no message ever shows."""

import pytest

from coordwatch.cli import main
from coordwatch.errors import DocumentError, PermanentError
from coordwatch.events.times import HOUR, MINUTE, SECOND
from coordwatch.settings import KafkaInput, KafkaSettings, for_serve, for_worker, read_settings

CANARY = "canary-5e7b1c"
INPUT = "inputs: [{kind: kafka, name: mail, topic: sendgrid.events}]\n"
SCRAM = "kafka: {security: {protocol: sasl_ssl, mechanism: SCRAM-SHA-512, username: cw}}\n"
OAUTH = (
    "kafka: {security: {protocol: sasl_ssl, mechanism: OAUTHBEARER, client_id: cw, "
    "token_endpoint: 'https://login.example.com/token'}}\n"
)


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


def test_what_is_not_written_has_the_value_that_the_page_shows(read):
    kafka = read("kafka: {}").kafka
    assert (kafka.bootstrap, kafka.prefix, kafka.partitions, kafka.replication) == (
        "127.0.0.1:9092",
        "coordwatch",
        8,
        3,
    )
    assert (kafka.slot, kafka.session_timeout, kafka.commit_interval) == (None, 10 * SECOND, SECOND // 2)
    assert kafka.security.protocol == "plaintext"
    limit = kafka.dead_letter_limit
    assert (limit.ratio, limit.of, limit.consecutive) == (0.05, 1000, 100)
    assert kafka.topics.dead_letters == "coordwatch.dead-letters"
    assert read("").kafka is None


def test_an_input_is_a_topic_with_what_its_tool_is_like(read):
    settings = read(
        "kafka: {bootstrap: 'a.example.com:9092, [::1]:9093'}\ninputs:\n"
        "  - {kind: kafka, name: mail, topic: sendgrid.events, source: sendgrid, disorder: 5m, publishing_delay: 1m, "
        "dark_after: 6h}\n"
    )
    (mail,) = settings.kafka_inputs
    assert isinstance(mail, KafkaInput)
    assert (mail.topic, mail.source, mail.disorder) == ("sendgrid.events", "sendgrid", 5 * MINUTE)
    assert (mail.publishing_delay, mail.dark_after) == (MINUTE, 6 * HOUR)
    assert settings.kafka.bootstrap == "a.example.com:9092,[::1]:9093"


def test_files_of_tls_are_seen_from_the_settings_file(read, tmp_path):
    security = read("kafka: {security: {protocol: ssl, ca: tls/ca.pem, certificate: c.pem, key: k.pem}}").kafka.security
    assert (security.ca, security.certificate) == (tmp_path / "tls/ca.pem", tmp_path / "c.pem")
    assert security.key == tmp_path / "k.pem"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("kafka: {bootsrap: x}", ":1:9:", "'kafka.bootsrap' is no setting (did you mean 'bootstrap'?)"),
        ("kafka:\n  security: {protocl: ssl}", ":2:14:", "'kafka.security.protocl' is no setting (did you mean 'protocol'?)"),
        ("kafka:\n  dead_letter_limit: {ration: 1}", ":2:23:", "(did you mean 'ratio'?)"),
        ("kafka: {dead_letter_limit: {ratio: 0}}", ":1:29:", "greater than 0"),
        ("kafka: {partitions: 0}", ":1:9:", "greater than or equal to 1"),
        ("kafka: {prefix: 'a b'}", ":1:9:", "prefix"),
        ("kafka: {slot: 'A'}", ":1:9:", "slot"),
        ("kafka: {bootstrap: 'one:1,two'}", ":1:9:", "address 2 is no host and port"),
        ("kafka: {session_timeout: 1s}", ":1:1:", "'session_timeout' lies between 2 s and 5 min"),
        ("kafka: {commit_interval: 6s}", ":1:1:", "'commit_interval' lies between 10ms and half of 'session_timeout', 5 s"),
        ("kafka: {security: {protocol: tls}}", ":1:20:", "'sasl_ssl'"),
        ("kafka: {security: {ca: a.pem}}", ":1:9:", "'ca' is for TLS, and protocol plaintext has none"),
        ("kafka: {security: {protocol: ssl, key: a.pem}}", ":1:9:", "'key' needs 'certificate' beside it"),
        ("kafka: {security: {protocol: ssl, username: me}}", ":1:9:", "'username' is for a login"),
        ("kafka: {security: {protocol: sasl_ssl}}", ":1:9:", "needs a 'mechanism': SCRAM-SHA-512"),
        (SCRAM, ":1:9:", "needs 'password': set COORDWATCH_KAFKA__SECURITY__PASSWORD"),
        (OAUTH, ":1:9:", "needs 'client_secret': set COORDWATCH_KAFKA__SECURITY__CLIENT_SECRET"),
        (OAUTH.replace("client_id: cw", "username: cw"), ":1:9:", "'username' is not for mechanism OAUTHBEARER"),
        (OAUTH.replace("https:", "http:"), ":1:9:", "'token_endpoint' must begin with https://"),
        (OAUTH.replace("//login", "//me:secret@login"), ":1:9:", "'token_endpoint' must begin with https://"),
        (INPUT, ":1:1:", "kafka inputs need to know the brokers"),
        ("kafka: {}\ninputs: [{kind: kafka, name: a, topic: t}, {kind: kafka, name: b, topic: t}]", ":1:1:", "read the topic 't'"),
        ("kafka: {}\ninputs: [{kind: kafka, name: a, topic: coordwatch.events}]", ":1:1:", "coordwatch's own topics"),
        ("kafka:\n  registry: {url: nowhere}", ":2:3:", "kafka.registry: 'url' is the address of a registry"),
        ("kafka:\n  registry: {url: 'https://cw:x@r.example.com'}", ":2:3:", "without a login in it"),
        ("kafka:\n  registry: {url: 'https://r.example.com', username: cw}", ":2:3:", "set COORDWATCH_KAFKA__REGISTRY__PASSWORD"),
        ("kafka:\n  registry: {url: 'http://r.example.com', ca: a.pem}", ":2:3:", "'ca' is for TLS"),
        ("kafka:\n  registry: {ulr: 'http://r.example.com'}", ":2:14:", "(did you mean 'url'?)"),
        ("kafka: {}\ninputs: [{kind: kafka, name: a, topic: 'no good'}]", ":2:33:", "inputs.0.topic: a topic is 1 to 249"),
        ("kafka: {}\ninputs: [{kind: kafka, name: a, topc: t}]", ":2:33:", "(did you mean 'topic'?)"),
        ("kafka: {}\ninputs: [{kind: kafka, name: a, topic: t}, {kind: http}]", ":1:1:", "cannot stand beside others (http)"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_its_place(read, text, place, words):
    assert any(one.startswith(place) and words in one for one in problems(read, text)), problems(read, text)


def test_several_mistakes_of_one_part_are_told_one_by_one(read):
    found = problems(read, "kafka: {security: {protocol: sasl_ssl, mechanism: PLAIN, key: a.pem}}")
    assert [one.partition("kafka.security: ")[2].split()[:3] for one in found] == [
        ["'key'", "needs", "'certificate'"],
        ["mechanism", "PLAIN", "needs"],
        ["mechanism", "PLAIN", "needs"],
    ]


@pytest.mark.parametrize("name", ["password", "client_secret", "key_password"])
def test_a_secret_in_the_file_is_refused_with_the_next_move_and_not_shown(read, name):
    (problem,) = problems(read, f"kafka:\n  security: {{{name}: {CANARY}}}\n")
    assert problem.startswith(":2:14: ")
    assert f"COORDWATCH_KAFKA__SECURITY__{name.upper()}" in problem
    assert f"coordwatch_kafka__security__{name}" in problem
    assert CANARY not in problem


def test_secrets_come_from_the_environment(read, monkeypatch):
    monkeypatch.setenv("COORDWATCH_KAFKA__SECURITY__PASSWORD", CANARY)
    settings = read(SCRAM)
    assert settings.kafka.security.password.get_secret_value() == CANARY
    assert CANARY not in repr(settings) + str(settings.model_dump()) + settings.model_dump_json()


@pytest.mark.parametrize("name", ["password", "token"])
def test_a_secret_of_the_registry_comes_from_the_environment_and_never_from_the_file(read, monkeypatch, name):
    (problem,) = problems(read, f"kafka:\n  registry: {{url: 'https://r.example.com', {name}: {CANARY}}}\n")
    assert f"COORDWATCH_KAFKA__REGISTRY__{name.upper()}" in problem
    assert CANARY not in problem
    monkeypatch.setenv(f"COORDWATCH_KAFKA__REGISTRY__{name.upper()}", CANARY)
    login = "username: cw, " if name == "password" else ""
    settings = read(f"kafka: {{registry: {{{login}url: 'https://r.example.com', ca: a.pem}}}}")
    assert getattr(settings.kafka.registry, name).get_secret_value() == CANARY
    assert settings.kafka.registry.ca.name == "a.pem"
    assert settings.kafka.registry.ca.is_absolute()
    assert CANARY not in repr(settings) + settings.model_dump_json()
    plainly = problems(read, f"kafka: {{registry: {{{login}url: 'http://r.example.com'}}}}")
    assert any("must begin with https://" in one for one in plainly)


def test_secrets_come_from_a_folder(read, monkeypatch, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "coordwatch_kafka__security__client_secret").write_text(f"{CANARY}\n")
    monkeypatch.setenv("COORDWATCH_SECRETS_DIR", str(tmp_path / "run"))
    settings = read(OAUTH)
    assert settings.kafka.security.client_secret.get_secret_value() == CANARY
    assert CANARY not in repr(settings)


def test_a_wrong_secret_is_told_and_not_shown(read, monkeypatch):
    monkeypatch.setenv("COORDWATCH_KAFKA__SECURITY__PASSWORD", CANARY)
    for text in ("kafka: {}", OAUTH, "kafka: {security: {protocol: pigeon}}", "kafka: {security: {mechanism: 5}}"):
        assert not any(CANARY in one for one in problems(read, text))
    monkeypatch.setenv("COORDWATCH_KAFKA__SECURITY", f'{{"password": "{CANARY}"')
    (problem,) = problems(read, "")
    assert "the environment or the secrets" in problem
    assert CANARY not in problem


def test_a_folder_of_secrets_that_is_not_there_is_told(read, monkeypatch, tmp_path):
    monkeypatch.setenv("COORDWATCH_SECRETS_DIR", str(tmp_path / "gone"))
    (problem,) = problems(read, "")
    assert "does not exist" in problem


def test_each_command_refuses_settings_that_are_for_the_other(read):
    kafka = read(f"kafka: {{}}\n{INPUT}")
    assert isinstance(for_worker(kafka), KafkaSettings)
    with pytest.raises(PermanentError, match="input 'mail' is a Kafka topic, which a worker reads: coordwatch worker"):
        for_serve(kafka)
    http = read("kafka: {}\ninputs: [{kind: http}]")
    assert for_serve(http) is http
    with pytest.raises(PermanentError, match="kind http, which a worker does not read: coordwatch serve"):
        for_worker(http)
    with pytest.raises(PermanentError, match="needs to know the brokers"):
        for_worker(read(""))


@pytest.mark.parametrize(
    ("command", "text", "words"),
    [
        ("serve", f"kafka: {{}}\n{INPUT}", "input 'mail' is a Kafka topic, which a worker reads: coordwatch worker"),
        ("worker", "kafka: {}\ninputs: [{kind: http}]", "of kind http, which a worker does not read: coordwatch serve"),
        ("worker", "", "a worker needs to know the brokers"),
    ],
)
def test_the_commands_say_so_and_end_with_2(tmp_path, capsys, command, text, words):
    (tmp_path / "coordwatch.yaml").write_text(text)
    assert main([command, "--config", str(tmp_path / "coordwatch.yaml")]) == 2
    assert words in capsys.readouterr().err


PROMOTIONS = "{name: promotions, type: marketing.message.sent, data: {category: promotional, channel: email}}"


def test_an_act_of_which_tools_want_to_know_is_one_that_a_tool_could_publish(read):
    kafka = read(
        f"kafka: {{suppressions: [{PROMOTIONS}, {{name: ads, type: marketing.audience.changed, data: {{action: added, platform: meta}}}}]}}"
    ).kafka
    assert [
        (one.suppression.name, one.suppression.act.type, one.suppression.act.data) for one in kafka.suppressions
    ] == [
        ("promotions", "marketing.message.sent", {"category": "promotional", "channel": "email"}),
        ("ads", "marketing.audience.changed", {"action": "added", "platform": "meta"}),
    ]
    assert kafka.topics.suppressing
    assert not read("kafka: {}").kafka.topics.suppressing


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "{name: a, type: marketing.message.send}",
            "type: no event type is called 'marketing.message.send'; did you mean 'marketing.message.sent'?",
        ),
        (
            "{name: a, type: marketing.message.sent, data: {catgory: promotional}}",
            "data.catgory: marketing.message.sent has no field 'catgory'; did you mean 'category'?",
        ),
        (
            "{name: a, type: marketing.message.sent, data: {category: promotional}}",
            "data.channel: say the 'channel' of it",
        ),
        (
            "{name: a, type: marketing.message.sent, data: {category: sunny, channel: email}}",
            "category: 'category' holds 'sunny'",
        ),
        (f"{PROMOTIONS}, {PROMOTIONS}", "two suppressions are called 'promotions': give each its own name"),
        ("{name: a, typ: marketing.message.sent}", "did you mean 'type'?"),
    ],
)
def test_a_mistyped_act_is_refused_at_the_start_with_what_to_write(read, written, said):
    assert any(said in one for one in problems(read, f"kafka: {{suppressions: [{written}]}}\n")), problems(
        read, f"kafka: {{suppressions: [{written}]}}\n"
    )
