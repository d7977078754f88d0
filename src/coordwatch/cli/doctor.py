"""`coordwatch doctor`: look at everything a service needs, one line each, with the next move.

What enters: a settings file.
What leaves: lines marked ok, warn or bad; exit 1 when any is bad.
The next room: the terminal.
"""

import argparse
import os
import platform
import shutil
import stat
import sys
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import coordwatch
from coordwatch.adapters.key_file import key_path
from coordwatch.adapters.process_lock import ProcessLock
from coordwatch.adapters.sql.database import Postgres
from coordwatch.adapters.sql.engines import library
from coordwatch.adapters.sql.migrating import REVISION
from coordwatch.adapters.sql.read import standing_on
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.app import Content, load_content, progress_of
from coordwatch.app.webhooks import hooks_of
from coordwatch.cli.checks import Check
from coordwatch.cli.extras import needing_kafka
from coordwatch.clock import SystemClock
from coordwatch.codec import encode_json
from coordwatch.context.progress import Progress
from coordwatch.embedded.server import listen
from coordwatch.errors import CoordwatchError, DocumentError, PermanentError
from coordwatch.events.times import MINUTE, format_time
from coordwatch.events.words import duration_words
from coordwatch.processor import cannot_be_fed
from coordwatch.rules.calendars import TZDATA_VERSION
from coordwatch.rules.lint import LintSeverity, lint
from coordwatch.settings import LOOPBACK, FileInput, KafkaInput, Settings, WebhookInput, read_settings

OK, BAD = 0, 1
_ROOM_BYTES = 1_000_000_000
_AHEAD = 10 * MINUTE
_MOVES: Mapping[str, str] = {
    "config": "correct the place named, then run doctor again",
    "rules": "coordwatch rules lint names every place",
    "sources": "coordwatch sources list shows what is known",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="the settings file; without it the defaults")
    parser.add_argument("--json", action="store_true", help="JSON Lines instead of text")


def run(args: argparse.Namespace) -> int:
    """Look, print, and say with the exit code whether anything is bad."""
    checks: list[Check] = []
    for check in look(args.config):
        checks.append(check)
        move = f"\n{'':<16}-> {check.move}" if check.move else ""
        print(
            encode_json(asdict(check)).decode()
            if args.json
            else f"{check.mark:<4}  {check.about:<9} {check.text}{move}"
        )
    bad = sum(check.mark == "bad" for check in checks)
    if bad:
        print(f"{bad} of {len(checks)} checks are bad", file=sys.stderr)
    return BAD if bad else OK


def look(config: Path | None) -> Iterator[Check]:
    """Every check in turn; what needs the settings is left out when they cannot be read."""
    yield from _installation()
    try:
        settings = read_settings(config) if config is not None else Settings()
    except DocumentError as error:
        yield from _problems("config", error)
        return
    yield Check(
        "ok",
        "config",
        f"{config or 'the defaults'}: {len(settings.inputs)} input{'' if len(settings.inputs) == 1 else 's'}, bind {settings.bind}",
    )
    content = None
    try:
        content = load_content(settings)
    except DocumentError as error:
        about = "rules" if any(_is_rule(problem.place.path, settings) for problem in error.problems) else "sources"
        yield from _problems(about, error)
    except CoordwatchError as error:
        yield Check("bad", "rules", str(error), "install coordwatch again")
    if content is not None:
        yield from _content(settings, content)
    yield from _inputs(settings)
    if settings.kafka is not None:
        yield from _kafka(settings, content)
    running = yield from _database(settings)
    yield from _door(settings, running)


def _installation() -> Iterator[Check]:
    python = platform.python_version()
    yield Check("ok", "program", f"coordwatch {coordwatch.__version__}, Python {python}, time zones {TZDATA_VERSION}")
    version, new_enough = library()
    if not new_enough:
        yield Check("bad", "sqlite", f"SQLite {version} is too old", "use a Python with SQLite 3.35 or newer")
    else:
        yield Check("ok", "sqlite", f"SQLite {version}")
    now = SystemClock().now()
    built = int(Path(coordwatch.__file__).stat().st_mtime * 1_000_000)
    if now + _AHEAD < built:
        move = "set the clock: events would be taken for the future and clamped"
        yield Check("bad", "clock", f"the clock says {format_time(now)}, before this program was installed", move)
    else:
        yield Check("ok", "clock", format_time(now // 1_000_000 * 1_000_000))


def _problems(about: str, error: DocumentError) -> Iterator[Check]:
    for problem in error.problems:
        yield Check("bad", about, str(problem), _MOVES[about])


def _is_rule(path: str, settings: Settings) -> bool:
    sources = [*settings.sources.mappings, *([settings.sources.catalogue] if settings.sources.catalogue else [])]
    return not any(path.startswith(str(one)) for one in sources)


def _content(settings: Settings, content: Content) -> Iterator[Check]:
    try:
        sources = progress_of(settings, content)
    except PermanentError as error:
        yield Check("bad", "sources", str(error), "correct the input in the settings")
        sources = []
    names = ", ".join(mapping.name for mapping in content.mappings)
    yield Check("ok", "sources", f"{len(content.mappings)} mappings: {names}")
    if settings.sources.catalogue is not None:
        said = content.catalogue
        words = f"{settings.sources.catalogue}: version {said.version or '-'}, digest {said.digest}"
        yield Check("ok", "catalogue", f"{words}, {len(said.entries)} campaigns")
    carried = Progress(sources).carried()
    # A rule that nobody feeds is a warning here, for a site that has only some of the tools.
    issues = lint(content.rules, None)
    wrong = [issue for issue in issues if issue.severity is LintSeverity.ERROR]
    for issue in wrong:
        yield Check("bad", "rules", str(issue), issue.hint)
    unfed = {spec.id: why for spec in content.rules if (why := cannot_be_fed(spec, carried)) is not None}
    for rule, why in unfed.items():
        yield Check("warn", "rules", f"{rule} is disabled: {why}", "add an input that carries it, or retire the rule")
    others = len(issues) - len(wrong)
    words = f", {others} remarks" if others else ""
    move = "coordwatch rules lint shows them" if others else None
    yield Check(
        "ok", "rules", f"{len(content.rules)} rules, {len(content.rules) - len(unfed)} of them fed{words}", move
    )


def _inputs(settings: Settings) -> Iterator[Check]:
    if not settings.inputs:
        yield Check("warn", "inputs", "no input is configured", "add 'inputs: [{kind: http}]' to the settings")
    yield from _webhooks(settings)
    for one in settings.inputs:
        if isinstance(one, KafkaInput):
            yield Check("ok", "inputs", f"{one.name}: the topic {one.topic}")
        elif not isinstance(one, FileInput | WebhookInput):
            yield Check("ok", "inputs", f"{one.name}: {one.kind}")
        elif isinstance(one, WebhookInput):
            continue
        elif one.path.is_file() and os.access(one.path, os.R_OK):
            yield Check("ok", "inputs", f"{one.name}: {one.path}, {one.path.stat().st_size:,} bytes")
        elif one.path.exists():
            yield Check(
                "bad", "inputs", f"{one.name}: {one.path} cannot be read", "name a file that this user may read"
            )
        elif one.follow:
            yield Check(
                "warn", "inputs", f"{one.name}: {one.path} is not there yet", "it is read as soon as it appears"
            )
        else:
            yield Check("bad", "inputs", f"{one.name}: {one.path} is not there", "correct the path")


def _webhooks(settings: Settings) -> Iterator[Check]:
    try:
        hooks = hooks_of(settings)
    except PermanentError as error:
        yield Check("bad", "inputs", str(error))
        return
    for name, hook in hooks.items():
        yield Check("ok", "inputs", f"{name}: POST /v1/sources/{name}, read by the mapping {hook.source}")


def _kafka(settings: Settings, content: Content | None) -> Iterator[Check]:
    try:
        checks: Iterator[Check] = needing_kafka("cli.kafka_checks").kafka_checks(settings, content)
    except PermanentError as error:
        yield Check("bad", "brokers", str(error))
        return
    yield from checks


def _database(settings: Settings) -> Generator[Check, None, bool]:
    """Give: whether a coordwatch is running on the database (the value of the generator)."""
    path = settings.database
    if isinstance(path, Postgres):
        yield from _key(settings)
        yield _postgres(path)
        return False
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        yield Check(
            "bad", "database", f"{path.parent} is no folder that this user may write to", "make it, or name another"
        )
        return False
    free = shutil.disk_usage(path.parent).free
    if free < _ROOM_BYTES:
        yield Check(
            "warn", "database", f"{free // 1_000_000:,} MB are free on its disk", "make room: a full disk stops it"
        )
    yield from _key(settings)
    if not path.exists():
        yield Check("ok", "database", f"{path} will be made at the first start")
        return False
    try:
        ProcessLock(path).close()
    except PermanentError as error:
        yield Check("ok", "database", str(error).partition(":")[0])
        return True
    try:
        standing = standing_on(path)
        if standing is not None and not standing.newest:
            words = f"the next start brings it to revision {REVISION}, which an older program refuses"
            yield Check("ok", "database", f"{path} has {standing}: {words}")
            return False
        store = SqlStore(path, {})
        tallies = store.tallies()
        store.close()
    except CoordwatchError as error:
        yield Check("bad", "database", str(error))
        return False
    yield Check("ok", "database", f"{path}: {tallies.get('in', 0):,} events taken in")
    return False


def _postgres(database: Postgres) -> Check:
    """A PostgreSQL as it stands; nothing in it is changed."""
    try:
        standing = standing_on(database)
    except CoordwatchError as error:
        return Check("bad", "database", f"{database}: {error}")
    if standing is None:
        return Check("ok", "database", f"{database} is empty: the first start makes its tables")
    if not standing.newest:
        words = f"the next start brings it to revision {REVISION}, which an older program refuses"
        return Check("ok", "database", f"{database} has {standing}: {words}")
    return Check("ok", "database", f"{database} answers, and its tables are the newest")


def _key(settings: Settings) -> Iterator[Check]:
    if settings.identity.key is not None or not isinstance(settings.database, Path):
        yield Check("ok", "identity", f"mode {settings.identity.mode}, with the key of the settings")
        return
    path = key_path(settings.database)
    if settings.kafka_inputs:
        move = "set COORDWATCH_IDENTITY__KEY, the same everywhere; make one with: openssl rand -hex 32"
        yield Check("bad", "identity", "all workers must know customers by the same key, and there is none", move)
    elif path.exists():
        open_to = stat.S_IMODE(path.stat().st_mode) & 0o077
        if open_to:
            yield Check("warn", "identity", f"others may read the key {path}", f"chmod 600 {path}")
        else:
            yield Check("ok", "identity", f"mode {settings.identity.mode}, with the key {path}")
    elif settings.database.exists():
        yield Check(
            "bad", "identity", f"the key {path} of this database is gone", "put it back; without it customers split"
        )
    else:
        yield Check("ok", "identity", f"mode {settings.identity.mode}; a key will be made at {path}")


def _door(settings: Settings, running: bool) -> Iterator[Check]:
    if settings.host not in LOOPBACK:
        move = "put TLS in front of it"
        yield Check(
            "warn", "door", f"{settings.bind} can be reached from other machines; the token travels openly", move
        )
    try:
        listen(settings.host, settings.port).close()
    except PermanentError as error:
        if running:
            yield Check("ok", "door", f"{settings.bind} is in use, by the running coordwatch as it seems")
        else:
            yield Check("bad", "door", str(error))
        return
    patience = duration_words(settings.settle)
    yield Check("ok", "door", f"{settings.bind} is free; an alert settles for at most {patience}")
