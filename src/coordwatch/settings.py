"""The settings: one frozen tree from a file, the environment and secrets, checked as a whole.

What enters: a YAML file, `COORDWATCH_*` variables, files under the secrets folder.
What leaves: Settings, or a DocumentError that names every mistake with its place.
The next room: `app`, which builds the program from it.
"""

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from coordwatch.documents import Fields, Items, Node, plain, read_documents
from coordwatch.errors import DocumentError, Place, Problem
from coordwatch.events.times import DAY, MINUTE, parse_duration

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
TOKEN_LENGTH_MIN = 16
_BIND = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>[0-9]{1,5})")
_NAME = r"^[a-z0-9][a-z0-9_.-]{0,63}$"


def _duration(value: Any) -> Any:
    if isinstance(value, str):
        return parse_duration(value)
    raise ValueError("write a duration such as 90s, 10m or 1d12h")


Duration = Annotated[int, BeforeValidator(_duration)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Progressing(_Part):
    """What every input says of its source. Units: microseconds once read; written as durations."""

    name: Annotated[str, Field(pattern=_NAME)]
    source: str | None = Field(
        default=None, description="a mapping's name, or canonical; without it the mapper finds out"
    )
    carries: tuple[str, ...] = Field(default=(), description="event types, when the mapping does not say")
    disorder: Duration = 0
    publishing_delay: Duration = MINUTE
    dark_after: Duration | None = None


class FileInput(Progressing):
    """A file of records, one JSON a line, read to its end once or followed as it grows."""

    kind: Literal["file"]
    path: Path
    follow: bool = True


class HttpInput(Progressing):
    """What is posted to /v1/events."""

    kind: Literal["http"]
    name: Annotated[str, Field(pattern=_NAME)] = "http"


class SimulatorInput(_Part):
    """The built-in simulator: an invented shop, on its own time."""

    kind: Literal["simulator"]
    name: Annotated[str, Field(pattern=_NAME)] = "simulator"
    seed: int = 1
    customers: Annotated[int, Field(ge=1, le=100_000)] = 300
    days: Annotated[int, Field(ge=1, le=3650)] = 30
    speed: Annotated[float, Field(gt=0, le=1_000_000)] = 600.0


InputSettings = Annotated[FileInput | HttpInput | SimulatorInput, Field(discriminator="kind")]


class SourcesSettings(_Part):
    """Mappings beside the shipped ones, and the operator's campaign catalogue."""

    mappings: tuple[Path, ...] = ()
    catalogue: Path | None = None


class IdentitySettings(_Part):
    """How a customer is found. Without a key, digests are not secret: `doctor` says so."""

    mode: Literal["trusted_id", "graph"] = "graph"
    trusted_type: str = "customer_id"
    key: SecretStr | None = None
    own_domains: frozenset[str] = frozenset()
    park_for: Duration = DAY

    @model_validator(mode="after")
    def _key_fits(self) -> "IdentitySettings":
        if self.key is not None and not 16 <= len(self.key.get_secret_value().encode()) <= 64:
            raise ValueError("the identity key must have 16 to 64 bytes; make one with: openssl rand -hex 32")
        return self


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

    database: Path = Path("coordwatch.db")
    durable: bool = True
    bind: str = "127.0.0.1:8484"
    token: SecretStr | None = None
    rules: tuple[Path, ...] = ()
    sources: SourcesSettings = SourcesSettings()
    identity: IdentitySettings = IdentitySettings()
    inputs: tuple[InputSettings, ...] = ()
    lateness: Duration = 7 * DAY
    settle: Duration = 2 * MINUTE
    actor: str = "api"

    @property
    def host(self) -> str:
        """The address to listen on."""
        return split_bind(self.bind)[0]

    @property
    def port(self) -> int:
        """The port to listen on."""
        return split_bind(self.bind)[1]

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        host, _ = split_bind(self.bind)
        if host not in LOOPBACK and self.token is None:
            raise ValueError(
                f"'bind: {self.bind}' can be reached from other machines, so it needs a secret: set COORDWATCH_TOKEN, "
                "or bind to 127.0.0.1"
            )
        if self.token is not None and len(self.token.get_secret_value()) < TOKEN_LENGTH_MIN:
            raise ValueError(f"the token must have at least {TOKEN_LENGTH_MIN} characters")
        names = [one.name for one in self.inputs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two inputs are called '{twice[0]}': give each its own name")
        if any(isinstance(one, SimulatorInput) for one in self.inputs) and any(
            isinstance(one, FileInput) for one in self.inputs
        ):
            raise ValueError(
                "the simulator runs on its own time and cannot stand beside a file: use two settings files"
            )
        return self

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
        return env_settings, file_secret_settings, init_settings


def split_bind(bind: str) -> tuple[str, int]:
    """The host and port of `127.0.0.1:8484` or `[::1]:8484`.

    Raises: ValueError when it is neither
    """
    found = _BIND.fullmatch(bind)
    if found is None or not 0 <= int(found["port"]) <= 65535:
        raise ValueError(f"'{bind[:60]}' is no address and port, such as 127.0.0.1:8484 or [::1]:8484")
    return found["six"] or found["host"], int(found["port"])


def read_settings(path: Path) -> Settings:
    """Read and check a settings file, with what the environment and the secrets add.

    Raises: DocumentError with every mistake and its place
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError([Problem(Place(str(path)), f"the settings cannot be read: {error}")]) from None
    documents = read_documents(text, str(path))
    root = documents[0] if documents else Fields({}, {}, Place(str(path)))
    if len(documents) > 1 or not isinstance(root, Fields):
        raise DocumentError([Problem(Place(str(path)), "settings are one mapping of names to values")])
    secrets = os.environ.get("COORDWATCH_SECRETS_DIR")
    try:
        settings = Settings(_secrets_dir=secrets, **plain(root))
    except ValidationError as error:
        raise DocumentError([_problem(root, one) for one in error.errors(include_url=False)]) from None
    return _under(settings, path.parent)


def _under(settings: Settings, folder: Path) -> Settings:
    """The same settings with every path made relative to the settings file's folder."""
    sources = settings.sources.model_copy(
        update={
            "mappings": tuple(folder / one for one in settings.sources.mappings),
            "catalogue": folder / settings.sources.catalogue if settings.sources.catalogue else None,
        }
    )
    inputs = tuple(
        one.model_copy(update={"path": folder / one.path}) if isinstance(one, FileInput) else one
        for one in settings.inputs
    )
    return settings.model_copy(
        update={
            "database": folder / settings.database,
            "rules": tuple(folder / one for one in settings.rules),
            "sources": sources,
            "inputs": inputs,
        }
    )


def _problem(root: Fields, error: Mapping[str, Any]) -> Problem:
    location = [part for part in error["loc"] if part not in ("file", "http", "simulator")]
    place = _place(root, location)
    name = ".".join(str(part) for part in location)
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(location[-1]), _known_names(location[:-1]), n=1)
        hint = f"did you mean '{close[0]}'?" if close else None
        return Problem(place, f"'{name}' is no setting", hint)
    if error["type"] == "missing":
        return Problem(place, f"'{name}' is missing")
    message = str(error["msg"]).removeprefix("Value error, ")
    written = not location or str(location[0]) in root.items
    where = "" if written else " (from the environment or the secrets)"
    return Problem(place, f"{name}{where}: {message}" if name else message)


def _place(root: Fields, location: Sequence[int | str]) -> Place:
    node: Node = root
    place = root.place
    for part in location:
        if isinstance(node, Fields) and isinstance(part, str) and part in node.items:
            place, node = node.places[part], node.items[part]
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            place = node.place
        else:
            break
    return place


def _known_names(location: Sequence[int | str]) -> list[str]:
    models: Mapping[str, tuple[type[BaseModel], ...]] = {
        "": (Settings,),
        "sources": (SourcesSettings,),
        "identity": (IdentitySettings,),
        "inputs": (FileInput, HttpInput, SimulatorInput),
    }
    first = str(location[0]) if location else ""
    return [name for model in models.get(first, ()) for name in model.model_fields]
