"""The whole tree: what a site decides, and what of it cannot stand together.

Parts enter; one frozen tree, or a reason why not, leaves. The next room: `reading`, which finds the places of mistakes.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, PrivateAttr, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from coordwatch.adapters.sql.database import Database, Postgres, read_database
from coordwatch.events.times import DAY, MINUTE
from coordwatch.identity.phones import is_region
from coordwatch.settings.access import AccessSettings, wrong_with_the_door
from coordwatch.settings.channels import ChannelSettings, EgressSettings, wrong_with_channels
from coordwatch.settings.kafka import KafkaInput, KafkaSettings
from coordwatch.settings.parts import (
    NAME,
    AuditSettings,
    Duration,
    OldKey,
    Part,
    Progressing,
    RetentionSettings,
    split_address,
    twice,
)
from coordwatch.settings.quiet import InhibitSettings, MaintenanceSettings
from coordwatch.settings.routing import HoursSettings, ReceiverSettings, RouteSettings

_KEY_ID = re.compile(r"[A-Za-z0-9]{1,16}")


class FileInput(Progressing):
    """A file of records, one JSON a line, read to its end once or followed as it grows."""

    kind: Literal["file"]
    path: Path
    follow: bool = True


class HttpInput(Progressing):
    """What is posted to /v1/events."""

    kind: Literal["http"]
    name: Annotated[str, Field(pattern=NAME)] = "http"


class WebhookInput(Progressing):
    """What a tool posts to /v1/sources/NAME. Its secrets are under `webhooks`, or in files.

    Units: `limit` in bytes; `window`, how old what was signed may be, in microseconds, written as a duration
    """

    kind: Literal["webhook"]
    check: Annotated[str, Field(pattern=r"^[a-z]{1,30}$")] | None = Field(
        default=None, description="how the tool proves who it is; without it, as the mapping's tool usually does"
    )
    secret_files: tuple[Path, ...] = Field(
        default=(), description="files with one secret a line, each as good as the others"
    )
    url: str | None = Field(default=None, description="the address as the tool knows it, for tools that sign it")
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")] | None = None
    window: Duration | None = None
    limit: Annotated[int, Field(ge=1024, le=8_000_000)] = 4_000_000


class SimulatorInput(Part):
    """The built-in simulator: an invented shop, on its own time."""

    kind: Literal["simulator"]
    name: Annotated[str, Field(pattern=NAME)] = "simulator"
    seed: int = 1
    customers: Annotated[int, Field(ge=1, le=100_000)] = 300
    days: Annotated[int, Field(ge=1, le=3650)] = 30
    speed: Annotated[float, Field(gt=0, le=1_000_000)] = 600.0


InputSettings = Annotated[
    FileInput | HttpInput | SimulatorInput | WebhookInput | KafkaInput, Field(discriminator="kind")
]


class SourcesSettings(Part):
    """Mappings beside the shipped ones, and the operator's catalogue: a file, or beside a Kafka a compacted topic."""

    mappings: tuple[Path, ...] = ()
    catalogue: Path | None = None
    catalogue_topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")] | None = None

    @model_validator(mode="after")
    def _one_catalogue(self) -> "SourcesSettings":
        if self.catalogue is not None and self.catalogue_topic is not None:
            raise ValueError("'catalogue' names a file and 'catalogue_topic' a topic: keep one of them")
        return self


class IdentitySettings(Part):
    """How a customer is found. Without a key, digests are not secret: `doctor` says so.

    `blocked` and `functional_mailboxes` are added to those that ship; `phone_regions` are by tool.
    """

    mode: Literal["trusted_id", "graph"] = "graph"
    trusted_type: str = "customer_id"
    key: SecretStr | None = None
    key_id: str | None = None
    old_keys: tuple[OldKey, ...] = ()
    own_domains: frozenset[str] = frozenset()
    plus_domains: frozenset[str] = frozenset()
    dot_domains: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()
    functional_mailboxes: frozenset[str] = frozenset()
    phone_region: str | None = None
    phone_regions: Mapping[str, str] = {}
    fanout_max: Annotated[int, Field(ge=2, le=10_000)] = 20
    park_for: Duration = DAY

    @model_validator(mode="after")
    def _fits(self) -> "IdentitySettings":
        wrong = [*self._wrong_with_keys(), *self._wrong_with_regions()]
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def _wrong_with_keys(self) -> Iterator[str]:
        for secret in (self.key, *(old.key for old in self.old_keys)):
            if secret is not None and not 16 <= len(secret.get_secret_value().encode()) <= 64:
                yield "the identity key must have 16 to 64 bytes; make one with: openssl rand -hex 32"
        for name in (self.key_id, *(old.id for old in self.old_keys)):
            if name is not None and not _KEY_ID.fullmatch(name):
                yield f"'{name[:40]}' cannot be the id of a key: 1 to 16 letters and digits"
        if self.old_keys and self.key is None:
            yield "'old_keys' need a 'key': beside a database, 'coordwatch identity rotate' changes the key"

    def _wrong_with_regions(self) -> Iterator[str]:
        for region in (self.phone_region, *self.phone_regions.values()):
            if region is not None and not is_region(region):
                yield f"'{region[:20]}' is no region of telephone numbers: two capitals, such as DE"


def _database(value: object) -> Database:
    if isinstance(value, Path | Postgres):
        return value
    if not isinstance(value, str):
        raise ValueError("name a file, or a URL such as postgresql://coordwatch@db.example.com/coordwatch")
    return read_database(value)


class Settings(BaseSettings):
    """Everything a site decides. Paths are relative to the settings file."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        validate_default=False,
        env_prefix="COORDWATCH_",
        env_nested_delimiter="__",
    )

    database: Annotated[Database, PlainValidator(_database), NoDecode] = Path("coordwatch.db")
    database_password: SecretStr | None = None
    durable: bool = True
    bind: str = "127.0.0.1:8484"
    token: SecretStr | None = None
    access: AccessSettings = AccessSettings()
    oidc_secret: SecretStr | None = None
    webhooks: dict[str, SecretStr] = {}
    rules: tuple[Path, ...] = ()
    sources: SourcesSettings = SourcesSettings()
    identity: IdentitySettings = IdentitySettings()
    inputs: tuple[InputSettings, ...] = ()
    kafka: KafkaSettings | None = None
    retention: RetentionSettings = RetentionSettings()
    lateness: Duration = 7 * DAY
    settle: Duration = 2 * MINUTE
    actor: str = "api"
    channels: tuple[ChannelSettings, ...] = ()
    channel_secrets: dict[str, SecretStr] = {}
    egress: EgressSettings = EgressSettings()
    route: RouteSettings | None = None
    receivers: tuple[ReceiverSettings, ...] = ()
    time_intervals: tuple[HoursSettings, ...] = ()
    inhibit_rules: tuple[InhibitSettings, ...] = ()
    maintenance: tuple[MaintenanceSettings, ...] = ()
    audit: AuditSettings = AuditSettings()
    public_url: str | None = None
    canary_channel: str | None = None
    _file: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path | None:
        """The file that these settings were read from, None when a program wrote them."""
        return self._file

    def read_from(self, path: Path) -> "Settings":
        """These settings, which know where they were read."""
        self._file = path
        return self

    @property
    def host(self) -> str:
        """The address to listen on."""
        return split_bind(self.bind)[0]

    @property
    def port(self) -> int:
        """The port to listen on."""
        return split_bind(self.bind)[1]

    @property
    def kafka_inputs(self) -> tuple[KafkaInput, ...]:
        """The inputs that a worker reads."""
        return tuple(one for one in self.inputs if isinstance(one, KafkaInput))

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        wrong = [
            *self._wrong_with_the_database(),
            *wrong_with_the_door(self.bind, self.host, self.token, self.access, self.public_url),
            *self._wrong_with_inputs(),
            *self._wrong_with_topics(),
            *wrong_with_channels(self.channels, self.public_url, self.canary_channel),
        ]
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def _wrong_with_the_database(self) -> Iterator[str]:
        if isinstance(self.database, Postgres) and self.identity.key is None:
            yield (
                "no identity key can lie beside a PostgreSQL: set COORDWATCH_IDENTITY__KEY, the same for every process; "
                "make one with: openssl rand -hex 32"
            )

    def _wrong_with_inputs(self) -> Iterator[str]:
        for name in twice(one.name for one in self.inputs):
            yield f"two inputs are called '{name}': give each its own name"
        kinds = {one.kind for one in self.inputs}
        if kinds >= {"simulator", "file"}:
            yield "the simulator runs on its own time and cannot stand beside a file: use two settings files"
        if "kafka" in kinds and len(kinds) > 1:
            others = ", ".join(sorted(kinds - {"kafka"}))
            yield f"kafka inputs are read by a worker and cannot stand beside others ({others}): use two settings files"

    def _wrong_with_topics(self) -> Iterator[str]:
        topics = [one.topic for one in self.kafka_inputs]
        if topics and self.kafka is None:
            yield "kafka inputs need to know the brokers: add 'kafka: {bootstrap: \"127.0.0.1:9092\"}'"
        for topic in twice(topics):
            yield f"two inputs read the topic '{topic}': name it once"
        for topic in sorted(set(topics)):
            if self.kafka is not None and topic.startswith(f"{self.kafka.prefix}."):
                yield f"'{topic}' is one of coordwatch's own topics and cannot be an input"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over secrets, and both over the file."""
        secrets = NestedSecretsSettingsSource(file_secret_settings, secrets_dir_missing="error")
        return env_settings, secrets, init_settings


def split_bind(bind: str) -> tuple[str, int]:
    """The host and port of `127.0.0.1:8484` or `[::1]:8484`.

    Raises: ValueError when it is neither
    """
    found = split_address(bind)
    if found is None:
        raise ValueError(f"'{bind[:60]}' is no address and port, such as 127.0.0.1:8484 or [::1]:8484")
    return found


def webhook_key(name: str) -> str:
    """The name under `webhooks` of the secrets of an input: a variable has no hyphens and no dots."""
    return name.replace("-", "_").replace(".", "_").lower()


def webhook_variable(name: str) -> str:
    """The environment variable that carries the secrets of a webhook."""
    return f"COORDWATCH_WEBHOOKS__{webhook_key(name).upper()}"
