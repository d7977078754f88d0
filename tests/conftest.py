"""What every test shares: how many examples a law gets, and where the browser and the services are.

A law that wants a fixed number of examples says so in its own `@settings`; the long run replaces the
number from outside: `COORDWATCH_EXAMPLES=200000 pytest tests/laws`.
"""

import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import axe_playwright_python
import pytest
from hypothesis import HealthCheck, Verbosity, settings
from hypothesis.internal.conjecture import providers

from coordwatch.adapters.sql.database import Database, read_database
from tests.services.cache import MissingError
from tests.services.kafka import Cluster
from tests.services.kafka_options import Options
from tests.services.kafka_training import train
from tests.services.postgres import Postgres, drop_database, new_database
from tests.services.prometheus import Prometheus, promtool_path
from tests.services.shared_kafka import shared_kafka
from tests.services.topics import Topics

CI = os.environ.get("CI") == "true"
EXAMPLES = os.environ.get("COORDWATCH_EXAMPLES")
NO_CONSTANTS = providers._local_constants

# Two shared cores make any deadline a coin toss, so none is set. The same examples run every time: a red build must be
# about the change in it, and the long run (`make laws`) is where new examples are looked for.
settings.register_profile("quick", deadline=None, print_blob=True, derandomize=True)
if EXAMPLES:
    settings.register_profile(
        "long",
        deadline=None,
        print_blob=True,
        max_examples=int(EXAMPLES),
        suppress_health_check=[HealthCheck.too_slow],
        verbosity=Verbosity.normal,
    )
settings.load_profile("long" if EXAMPLES else "quick")
if not EXAMPLES:
    # Hypothesis also draws from the constants of whatever modules of ours are loaded, which depends on the tests that ran
    # before on the same worker, and on every line of `src`: the same examples would be others each time.
    providers._get_local_constants = lambda: NO_CONSTANTS


def _go_without(missing: str) -> NoReturn:
    """Skip visibly what this machine cannot have; under CI that is a failure."""
    if CI:
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a Kafka, so that `-m "not kafka"` leaves it out; the long runs of faults, which mostly wait, come first."""
    items.sort(key=lambda item: "tests/chaos/test_chaos.py" not in item.nodeid)
    for item in items:
        if {"kafka", "private_kafka", "secure_kafka"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("kafka")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Give the path of a real Chromium; without one, skip visibly, and fail under CI."""
    named = os.environ.get("COORDWATCH_CHROMIUM", "/usr/bin/chromium")
    found = shutil.which(named)
    if found is None:
        _go_without(f"no Chromium at {named}: run `bash tests/chromium.sh`, which brings it or says what to type")
    return found


@pytest.fixture(scope="session")
def axe_source() -> str:
    """Give the text of axe.min.js, to be evaluated in a page: no script tag, so the page's policy stays strict."""
    return Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Kafka: `KAFKA_BOOTSTRAP`, or one node that all workers of this run share."""
    named = os.environ.get("KAFKA_BOOTSTRAP")
    if named:
        yield named
        return
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with ExitStack() as using:
        try:
            address = using.enter_context(shared_kafka(shared / "kafka"))
        except MissingError as missing:
            _go_without(str(missing))
        yield address


@pytest.fixture
def topics(kafka: str, request: pytest.FixtureRequest) -> Iterator[Topics]:
    """Topics below a prefix of this test's own (`topics.prefix`), so that tests share a broker and never meet."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())[:60].strip("-")
    own = Topics(kafka, f"{name}-{secrets.token_hex(4)}")
    yield own
    own.remove()


@pytest.fixture
def prefix(topics: Topics) -> str:
    """The prefix of this test's own topics, for the program under test."""
    return topics.prefix


@contextmanager
def _kafka_or_not(options: Options, folder: Path) -> Iterator[Cluster]:
    with ExitStack() as running:
        try:
            train()
            kafka = running.enter_context(Cluster(options, folder))
        except MissingError as missing:
            _go_without(str(missing))
        yield kafka


@pytest.fixture
def private_kafka(tmp_path: Path) -> Iterator[Callable[[Options], Cluster]]:
    """A Kafka of this test's own, as it asks for it: to be killed, to be secured, to be three."""
    with ExitStack() as running:

        def started(options: Options) -> Cluster:
            return running.enter_context(_kafka_or_not(options, tmp_path / f"kafka-{secrets.token_hex(2)}"))

        yield started


@pytest.fixture
def three_brokers(private_kafka: Callable[[Options], Cluster]) -> Cluster:
    """Three nodes of this test's own; `three_brokers.nodes[0].kill()`."""
    return private_kafka(Options(nodes=3))


@pytest.fixture(scope="session")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One node with passwords, certificates and ACLs, for all tests of a worker: `secure_kafka.client("cw", ...)`.

    The users are `cw` and `other`, each with its name and `-secret` as its password; neither may do anything yet.
    """
    users = {"cw": "cw-secret", "other": "other-secret"}
    with _kafka_or_not(Options(users=users, acls=True), tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Where a PostgreSQL 18 is: `COORDWATCH_TEST_POSTGRES`, or a server of this worker's own, started within seconds."""
    named = os.environ.get("COORDWATCH_TEST_POSTGRES")
    if named:
        yield named
        return
    with ExitStack() as running:
        try:
            server = running.enter_context(Postgres())
        except MissingError as missing:
            _go_without(str(missing))
        yield server.url()


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Callable[[], str]]:
    """New and empty databases on a real PostgreSQL, by their URLs, gone after the test: `postgres()`."""
    made: list[str] = []

    def one() -> str:
        made.append(new_database(postgres_url))
        return made[-1]

    yield one
    for url in made:
        drop_database(url)


@pytest.fixture(scope="module")
def postgres_module(postgres_url: str) -> Iterator[Database]:
    """One database on a real PostgreSQL for all tests of a module, which leave nothing behind in it."""
    url = new_database(postgres_url)
    yield read_database(url)
    drop_database(url)


@pytest.fixture
def private_postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this test's own: to be killed, to be filled up."""
    with ExitStack() as running:
        try:
            server = running.enter_context(Postgres())
        except MissingError as missing:
            _go_without(str(missing))
        yield server


DATABASES = ("sqlite", "postgres")


@pytest.fixture
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Database]:
    """Places for new databases of a kind: `new_place("postgres")`; the server is only started for who asks for one."""

    def one(kind: str) -> Database:
        if kind == "postgres":
            return read_database(request.getfixturevalue("postgres")())
        return tmp_path / f"{secrets.token_hex(4)}.db"

    return one


@pytest.fixture(params=DATABASES)
def place(request: pytest.FixtureRequest, new_place: Callable[[str], Database]) -> Database:
    """A new place for a database: a path, then a PostgreSQL."""
    return new_place(request.param)


@pytest.fixture(scope="session")
def alertmanager_path() -> str:
    """The path of a real Alertmanager."""
    path = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if path is None:
        _go_without("no alertmanager: run `bash tests/prometheus.sh`, which brings it or says what to type")
    return path


@pytest.fixture(scope="session")
def amtool() -> str:
    """The path of Alertmanager's own tool."""
    path = shutil.which("amtool")
    if path is None:
        _go_without("no amtool: run `bash tests/prometheus.sh`, which brings it with Alertmanager")
    return path


@pytest.fixture(scope="session")
def promtool() -> str:
    """The path of Prometheus' own tool."""
    try:
        return promtool_path()
    except MissingError as missing:
        _go_without(str(missing))


@pytest.fixture
def prometheus_server(tmp_path: Path) -> Iterator[Callable[..., Prometheus]]:
    """A real Prometheus as the test asks for it: `prometheus_server(config, {"rules.yml": text})`."""
    with ExitStack() as running:

        def started(config: str, beside: Mapping[str, str] | None = None) -> Prometheus:
            folder = tmp_path / f"prometheus-{secrets.token_hex(2)}"
            folder.mkdir()
            for name, text in (beside or {}).items():
                (folder / name).write_text(text, encoding="utf-8")
            try:
                return running.enter_context(Prometheus(config, folder))
            except MissingError as missing:
                _go_without(str(missing))

        yield started
