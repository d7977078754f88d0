"""The Kafka part of the settings: where the brokers are, how they are spoken to, and which topics are read.

Written values enter; a frozen part, or every reason why it cannot be so, leaves. Secrets come from the environment or
from files, never from the YAML file. The next room: `app`, which makes of it what the adapters need.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from coordwatch.events.times import HOUR, SECOND
from coordwatch.events.words import duration_words
from coordwatch.processor.acts import BadAct, act_data
from coordwatch.processor.detecting.suppressing import Suppression
from coordwatch.processor.topics import Topics
from coordwatch.settings.parts import LOOPBACK, NAME, Duration, Part, Progressing, split_address, twice

SECRETS = ("key_password", "password", "client_secret")
"""The names under `kafka.security` that may not stand in a file that people share."""
REGISTRY_SECRETS = ("password", "token")
"""The same, under `kafka.registry`."""

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_PLAIN_OR_SCRAM = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_SESSION_LEAST, _SESSION_MOST = 2 * SECOND, 300 * SECOND
_COMMIT_LEAST = SECOND // 100


def variable_of(secret: str, part: str = "security") -> str:
    """The environment variable that carries a secret of a part of `kafka`."""
    return f"COORDWATCH_KAFKA__{part.upper()}__{secret.upper()}"


class SecuritySettings(Part):
    """How the brokers know us and we them. TLS is always verified."""

    protocol: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    key_password: SecretStr | None = None
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = None
    username: str | None = None
    password: SecretStr | None = None
    token_endpoint: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    scope: str | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "SecuritySettings":
        wrong = [*self._wrong_with_tls(), *self._wrong_with_login()]
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    @property
    def plain_key_password(self) -> str | None:
        """What opens the key file."""
        return None if self.key_password is None else self.key_password.get_secret_value()

    @property
    def plain_login(self) -> tuple[str, str]:
        """The name and the secret of the login, empty where there is none."""
        secret = self.password or self.client_secret
        return self.username or self.client_id or "", "" if secret is None else secret.get_secret_value()

    def _wrong_with_tls(self) -> Iterator[str]:
        files = [name for name in ("ca", "certificate", "key", "key_password") if getattr(self, name) is not None]
        if files and not self.protocol.endswith("ssl"):
            yield f"'{files[0]}' is for TLS, and protocol {self.protocol} has none: write ssl or sasl_ssl"
        if (self.certificate is None) != (self.key is None):
            there, gone = ("certificate", "key") if self.key is None else ("key", "certificate")
            yield f"'{there}' needs '{gone}' beside it"
        if self.key_password is not None and self.key is None:
            yield "'key_password' is for a 'key', and none is named"

    def _wrong_with_login(self) -> Iterator[str]:
        given = {
            name
            for name in ("username", "password", "token_endpoint", "client_id", "client_secret", "scope")
            if getattr(self, name) is not None
        }
        if not self.protocol.startswith("sasl"):
            for name in sorted(given | ({"mechanism"} if self.mechanism else set())):
                yield f"'{name}' is for a login, and protocol {self.protocol} has none: write sasl_ssl"
            return
        if self.mechanism is None:
            yield f"protocol {self.protocol} needs a 'mechanism': SCRAM-SHA-512, SCRAM-SHA-256, OAUTHBEARER or PLAIN"
            return
        bearer = self.mechanism not in _PLAIN_OR_SCRAM
        needed = ("token_endpoint", "client_id", "client_secret") if bearer else ("username", "password")
        for name in needed:
            if name not in given:
                move = f"set {variable_of(name)}" if name in SECRETS else f"write '{name}: ...'"
                yield f"mechanism {self.mechanism} needs '{name}': {move}"
        for name in sorted(given - {*needed, *(["scope"] if bearer else [])}):
            yield f"'{name}' is not for mechanism {self.mechanism}: take it away"
        if bearer and self.token_endpoint is not None and not _may_carry_a_secret(self.token_endpoint):
            yield "'token_endpoint' must begin with https://, since the client's secret is sent there"


def _may_carry_a_secret(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    plainly = parts.username is None and parts.password is None and bool(host)
    return plainly and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))


class RegistrySettings(Part):
    """Where the schemas of Avro, JSON Schema and Protobuf records are found, and how the registry knows us."""

    url: str
    username: str | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    ca: Path | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "RegistrySettings":
        wrong = list(self._wrong())
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def _wrong(self) -> Iterator[str]:
        login, password = variable_of("password", "registry"), self.password is not None
        if not _is_address(self.url):
            yield "'url' is the address of a registry, without a login in it: https://registry.example.com:8081"
            return
        if (password or self.token is not None) and not _may_carry_a_secret(self.url):
            yield "'url' must begin with https://, since the login is sent there"
        if (self.username is not None) != password:
            yield (
                f"'username' and a password belong together: set {login}"
                if not password
                else ("a password needs its 'username' beside it")
            )
        if self.token is not None and password:
            yield "a registry is shown a password or a token, and both are given: take one away"
        if self.ca is not None and not self.url.startswith("https:"):
            yield "'ca' is for TLS, and this address has none: write https://"


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plainly = parts.username is None and parts.password is None and not parts.query and not parts.fragment
    return plainly and bool(host) and parts.scheme in ("http", "https")


class DeadLetterLimit(Part):
    """When a partition stops because too much of it cannot be used: a share of the last `of` records, or so many in a row."""

    ratio: Annotated[float, Field(gt=0, le=1)] = 0.05
    of: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    consecutive: Annotated[int, Field(ge=1, le=1_000_000)] = 100


class SuppressionSettings(Part):
    """A kind of act that tools want to be told of before they act, by a name of its own."""

    name: Annotated[str, Field(pattern=NAME)]
    type: str
    data: Mapping[str, Any] = {}

    @model_validator(mode="after")
    def _is_an_act(self) -> "SuppressionSettings":
        try:
            act_data(self.type, self.data)
        except BadAct as error:
            raise ValueError(f"suppression '{self.name}': {error.field}: {error}") from None
        return self

    @property
    def suppression(self) -> Suppression:
        """The act as it would be published."""
        return Suppression.of(self.name, *act_data(self.type, self.data))


class KafkaSettings(Part):
    """The brokers, our topics on them, and the pace of a worker."""

    bootstrap: str = "127.0.0.1:9092"
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")] = "coordwatch"
    partitions: Annotated[int, Field(ge=1, le=1024)] = 8
    replication: Annotated[int, Field(ge=1, le=9)] = 3
    slot: Annotated[str, Field(pattern=NAME)] | None = None
    session_timeout: Duration = 10 * SECOND
    commit_interval: Duration = SECOND // 2
    security: SecuritySettings = SecuritySettings()
    registry: RegistrySettings | None = None
    dead_letter_limit: DeadLetterLimit = DeadLetterLimit()
    verify_forgotten: Duration = HOUR
    suppressions: Annotated[tuple[SuppressionSettings, ...], Field(max_length=20)] = ()

    @field_validator("bootstrap")
    @classmethod
    def _addresses(cls, value: str) -> str:
        """The value is not repeated in the message: somebody may have written a login into it."""
        addresses = [one.strip() for one in value.split(",")]
        for number, one in enumerate(addresses, 1):
            if split_address(one) is None:
                raise ValueError(f"address {number} is no host and port; write: broker-1:9092,broker-2:9092")
        return ",".join(addresses)

    @model_validator(mode="after")
    def _fits_together(self) -> "KafkaSettings":
        if not _SESSION_LEAST <= self.session_timeout <= _SESSION_MOST:
            raise ValueError(
                f"'session_timeout' lies between {duration_words(_SESSION_LEAST)} and {duration_words(_SESSION_MOST)}"
            )
        if not _COMMIT_LEAST <= self.commit_interval <= self.session_timeout // 2:
            most = duration_words(self.session_timeout // 2)
            raise ValueError(f"'commit_interval' lies between 10ms and half of 'session_timeout', {most}")
        for name in twice(one.name for one in self.suppressions):
            raise ValueError(f"two suppressions are called '{name}': give each its own name")
        return self

    @property
    def topics(self) -> Topics:
        """What our own topics are called."""
        return Topics(self.prefix, self.partitions, bool(self.suppressions))


class KafkaInput(Progressing):
    """A topic of yours. It is read, and never created or changed."""

    kind: Literal["kafka"]
    topic: str

    @field_validator("topic")
    @classmethod
    def _is_a_topic(cls, value: str) -> str:
        if _TOPIC.fullmatch(value) is None or value in (".", ".."):
            raise ValueError("a topic is 1 to 249 letters, digits, dots, underscores and hyphens")
        return value
