"""Reading the settings file: every mistake is told with its place, and with the nearest word.

A path enters; Settings leave, or a DocumentError. Secrets are named by this module and never shown.
"""

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from coordwatch.adapters.sql.database import Database, holds_password
from coordwatch.documents import Fields, Items, Node, Scalar, plain, read_documents
from coordwatch.errors import DocumentError, PermanentError, Place, Problem
from coordwatch.settings.access import OIDC_SECRET
from coordwatch.settings.channels import (
    ChannelSettings,
    MatchSettings,
    channel_variable,
)
from coordwatch.settings.kafka import (
    REGISTRY_SECRETS,
    SECRETS,
    KafkaInput,
    KafkaSettings,
    variable_of,
)
from coordwatch.settings.known import known_names
from coordwatch.settings.mistakes import said
from coordwatch.settings.quiet import wrong_with_quiet
from coordwatch.settings.routing import (
    wrong_with_routing,
)
from coordwatch.settings.tree import (
    FileInput,
    InputSettings,
    Settings,
    WebhookInput,
    webhook_variable,
)


def read_settings(path: Path) -> Settings:
    """Read and check a settings file, with what the environment and the secrets add.

    Raises: DocumentError with every mistake and its place
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DocumentError([Problem(Place(str(path)), f"the settings cannot be read: {why}")]) from None
    documents = read_documents(text, str(path))
    root = documents[0] if documents else Fields({}, {}, Place(str(path)))
    if len(documents) > 1 or not isinstance(root, Fields):
        raise DocumentError([Problem(Place(str(path)), "settings are one mapping of names to values")])
    shown = list(_secrets_shown(root))
    if shown:
        raise DocumentError(shown)
    secrets = os.environ.get("COORDWATCH_SECRETS_DIR")
    try:
        settings = Settings(_secrets_dir=secrets, **plain(root))
    except ValidationError as error:
        problems = [one for each in error.errors(include_url=False) for one in _problems(root, each)]
        raise DocumentError(problems) from None
    except SettingsError as error:
        # Its cause quotes what could not be read; the message names the variable or the folder only.
        raise DocumentError([Problem(Place(str(path)), f"the environment or the secrets: {error}")]) from None
    wrong = list(_wrong_ways(root, settings))
    if wrong:
        raise DocumentError(wrong)
    return _under(settings, path.parent).read_from(path)


def _wrong_ways(root: Fields, settings: Settings) -> Iterator[Problem]:
    """What of the way of alerts, and of what holds them back, cannot stand together."""
    names = [one.name for one in settings.channels]
    matching = [place for place, one in enumerate(settings.channels) if one.match != MatchSettings()]
    hours = [one.name for one in settings.time_intervals]
    quiet = wrong_with_quiet(settings.inhibit_rules, settings.maintenance, hours)
    for location, message in (*wrong_with_routing(settings, names, matching), *quiet):
        place, _ = _place(root, location)
        name = ".".join(str(part) for part in location)
        yield Problem(place, f"{name}: {message}")


def demo_settings(values: Mapping[str, Any]) -> Settings:
    """Settings of a demo, written by the program: what the environment says of a site in earnest is not for them.

    Only variables that begin with `COORDWATCH_DEMO_` are read.

    Raises: PermanentError with every value that cannot be
    """
    try:
        return Settings(_env_prefix="COORDWATCH_DEMO_", **values)
    except ValidationError as error:
        told = [
            f"{'.'.join(str(part) for part in one['loc'])}: {str(one['msg']).removeprefix('Value error, ')}"
            for one in error.errors(include_url=False)
        ]
        raise PermanentError("; ".join(told)) from None


def for_serve(settings: Settings) -> Settings:
    """The settings, if they are for the one-process runtime.

    Raises: PermanentError with the command that they are for
    """
    if settings.kafka_inputs:
        name = settings.kafka_inputs[0].name
        raise PermanentError(f"input '{name}' is a Kafka topic, which a worker reads: coordwatch worker --config FILE")
    if settings.sources.catalogue_topic is not None:
        raise PermanentError("'sources.catalogue_topic' is read by a worker; name a file for serve: sources.catalogue")
    return settings


def for_worker(settings: Settings) -> KafkaSettings:
    """The Kafka part of settings that are for a worker.

    Raises: PermanentError with the command that they are for, or with what is missing
    """
    for one in settings.inputs:
        if not isinstance(one, KafkaInput):
            raise PermanentError(
                f"input '{one.name}' is of kind {one.kind}, which a worker does not read: coordwatch serve --config FILE"
            )
    if settings.kafka is None:
        raise PermanentError("a worker needs to know the brokers: add 'kafka: {bootstrap: \"127.0.0.1:9092\"}'")
    return settings.kafka


def _secrets_shown(root: Fields) -> Iterator[Problem]:
    """Secrets that stand in the file, where everybody who may read it sees them."""
    if "webhooks" in root.items:
        webhooks = root.items["webhooks"]
        for name in webhooks.items if isinstance(webhooks, Fields) else ("NAME",):
            variable = webhook_variable(name)
            yield Problem(
                root.places["webhooks"],
                f"the secret of the webhook '{name}' may not stand in this file: take it out, change it where it is known, "
                f"and set {variable}, or the file {variable.lower()} in the folder COORDWATCH_SECRETS_DIR",
            )
    yield from _database_shown(root)
    if "channel_secrets" in root.items:
        channels = root.items["channel_secrets"]
        for name in channels.items if isinstance(channels, Fields) else ("NAME",):
            variable = channel_variable(name)
            yield Problem(
                root.places["channel_secrets"],
                f"the secret of the channel '{name}' may not stand in this file: take it out, change it where it is known, "
                f"and set {variable}, or the file {variable.lower()} in the folder COORDWATCH_SECRETS_DIR",
            )
    if "oidc_secret" in root.items:
        yield Problem(
            root.places["oidc_secret"],
            f"the secret of the provider may not stand in this file: take it out, change it where it is known, and set "
            f"{OIDC_SECRET}, or the file {OIDC_SECRET.lower()} in the folder COORDWATCH_SECRETS_DIR",
        )
    kafka = root.items.get("kafka")
    for part, secrets in (("security", SECRETS), ("registry", REGISTRY_SECRETS)):
        found = kafka.items.get(part) if isinstance(kafka, Fields) else None
        if isinstance(found, Fields):
            yield from (_shown(part, name, found.places[name]) for name in secrets if name in found.items)


def _database_shown(root: Fields) -> Iterator[Problem]:
    node = root.items.get("database")
    text = node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""
    for name in ("database", "database_password"):
        if name in root.items and (name != "database" or holds_password(text)):
            yield Problem(
                root.places[name],
                "the password of the database may not stand in this file: take it out, change it in the database, and set "
                "COORDWATCH_DATABASE_PASSWORD, or the file coordwatch_database_password in the folder COORDWATCH_SECRETS_DIR",
            )


def _shown(part: str, name: str, place: Place) -> Problem:
    variable = variable_of(name, part)
    return Problem(
        place,
        f"'kafka.{part}.{name}' is a secret and may not stand in this file: take it out, change it where it "
        f"is known, and set {variable}, or the file {variable.lower()} in the folder COORDWATCH_SECRETS_DIR",
    )


def _under(settings: Settings, folder: Path) -> Settings:
    """The same settings with every path made relative to the settings file's folder."""
    sources = settings.sources.model_copy(
        update={
            "mappings": tuple(folder / one for one in settings.sources.mappings),
            "catalogue": folder / settings.sources.catalogue if settings.sources.catalogue else None,
        }
    )
    inputs = tuple(_input_under(one, folder) for one in settings.inputs)
    return settings.model_copy(
        update={
            "database": _database_under(settings, folder),
            "rules": tuple(folder / one for one in settings.rules),
            "sources": sources,
            "inputs": inputs,
            "channels": tuple(_channel_under(one, folder) for one in settings.channels),
            "egress": settings.egress.model_copy(
                update={"ca": folder / settings.egress.ca if settings.egress.ca else None}
            ),
            "audit": settings.audit.model_copy(
                update={"anchor": folder / settings.audit.anchor if settings.audit.anchor else None}
            ),
            "kafka": None if settings.kafka is None else _kafka_under(settings.kafka, folder),
        }
    )


def _database_under(settings: Settings, folder: Path) -> Database:
    database, password = settings.database, settings.database_password
    if isinstance(database, Path):
        return folder / database
    return database if password is None else database.with_password(password.get_secret_value())


def _input_under(one: InputSettings, folder: Path) -> InputSettings:
    if isinstance(one, FileInput):
        return one.model_copy(update={"path": folder / one.path})
    if isinstance(one, WebhookInput):
        return one.model_copy(update={"secret_files": tuple(folder / path for path in one.secret_files)})
    return one


def _channel_under(one: ChannelSettings, folder: Path) -> ChannelSettings:
    return one if one.secret_file is None else one.model_copy(update={"secret_file": folder / one.secret_file})


def _kafka_under(kafka: KafkaSettings, folder: Path) -> KafkaSettings:
    security = kafka.security
    paths = {name: path for name in ("ca", "certificate", "key") if (path := getattr(security, name)) is not None}
    placed = security.model_copy(update={name: folder / path for name, path in paths.items()})
    registry = kafka.registry
    if registry is not None and registry.ca is not None:
        registry = registry.model_copy(update={"ca": folder / registry.ca})
    return kafka.model_copy(update={"security": placed, "registry": registry})


def _problems(root: Fields, error: Mapping[str, Any]) -> Iterator[Problem]:
    location = list(error["loc"])
    if location[:1] in (["inputs"], ["channels"]) and len(location) > 2:
        del location[2]  # the kind, which the reader did not write there
    place, found = _place(root, location)
    name = ".".join(str(part) for part in location)
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(location[-1]), known_names(location[:-1]), n=1)
        hint = f"did you mean '{close[0]}'?" if close else None
        yield Problem(place, f"'{name}' is no setting", hint)
        return
    if error["type"] == "missing":
        yield Problem(place, f"'{name}' is missing")
        return
    where = "" if found else " (from the environment or the secrets)"
    words, hint = said(error)
    for message in words.splitlines():
        yield Problem(place, f"{name}{where}: {message}" if name else message, hint)


def _place(root: Fields, location: Sequence[int | str]) -> tuple[Place, bool]:
    """The nearest place in the file, and whether the whole location stands there."""
    node: Node = root
    place = root.place
    for part in location:
        if isinstance(node, Fields) and isinstance(part, str) and part in node.items:
            place, node = node.places[part], node.items[part]
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            place = node.place
        else:
            return place, False
    return place, True
