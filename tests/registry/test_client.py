"""The way to a registry: logins, TLS, addresses below a path, and a server that is away."""

from itertools import islice
from pathlib import Path

import pytest

from coordwatch.adapters.registry.client import Registered, RegistryAccess, RegistryClient
from coordwatch.adapters.registry.decoding import RegistryDecoder
from coordwatch.cli.kafka_checks import kafka_checks
from coordwatch.clock import ManualClock
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.settings import read_settings
from tests.registry.schemas import avro, headed
from tests.services.certificates import make_certificates
from tests.services.processes import LOOPBACK, free_port
from tests.services.registry import Kept, registry

STRING = '"string"'


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registry-tls")
    make_certificates(folder)
    return folder


def test_a_password_and_a_token_are_shown() -> None:
    with registry() as server:
        server.kept.register("s", STRING)
        server.kept.login = ("cw", "geheim-ö")
        assert Registered("AVRO", STRING) == RegistryClient(RegistryAccess(server.url, ("cw", "geheim-ö"))).schema(1)
        with pytest.raises(TemporaryError, match=r"does not let us in \(401\): set what kafka.registry needs"):
            RegistryClient(RegistryAccess(server.url)).schema(1)
        server.kept.token = "t-1"
        client = RegistryClient(RegistryAccess(server.url, token="t-1"))
        client.answers()
        assert client.schema(1) is not None


def test_tls_is_verified(certificates: Path) -> None:
    with registry(certificate=(certificates / "broker.crt", certificates / "broker.key")) as server:
        server.kept.register("s", STRING)
        url = server.url.replace("http:", "https:")
        assert RegistryClient(RegistryAccess(url, ca=certificates / "ca.pem")).schema(1) is not None
        for ca in (certificates / "other-ca.pem", None):
            with pytest.raises(TemporaryError, match=r"does not answer .SSLCertVerificationError"):
                RegistryClient(RegistryAccess(url, ca=ca)).schema(1)
        with pytest.raises(PermanentError, match="name a PEM file"):
            RegistryClient(RegistryAccess(url, ca=certificates / "nowhere.pem"))


def test_what_is_no_registry_is_not_taken_for_one() -> None:
    with registry() as server, pytest.raises(TemporaryError, match="answered /schemas/ids/1 with 404"):
        RegistryClient(RegistryAccess(f"{server.url}/wrong/")).schema(1)


def test_nothing_secret_is_in_what_is_printed() -> None:
    access = RegistryAccess("https://registry.example.com", ("cw", "geheim"), "t-1")
    assert "geheim" not in repr(access)
    assert "t-1" not in f"{access!r} {access}"


def test_a_server_that_comes_back_while_a_record_waits_is_found() -> None:
    """The first questions find nobody; the server begins to listen meanwhile, and the record is read."""
    kept, port = Kept(), free_port()
    kept.register("s", STRING)
    client = RegistryClient(RegistryAccess(f"http://{LOOPBACK}:{port}"))
    with pytest.raises(TemporaryError, match=r"does not answer .ConnectionRefusedError"):
        RegistryDecoder(client, ManualClock(), 0.0)(headed(1, b""))
    with registry(kept, port=port):
        assert "x" == RegistryDecoder(client, ManualClock(), 5.0)(headed(1, avro(["string"], "x")))


def test_doctor_asks_the_registry(tmp_path: Path) -> None:
    def told(url: str) -> tuple[str, str]:
        config = tmp_path / "coordwatch.yaml"
        config.write_text(f"kafka: {{registry: {{url: '{url}'}}}}\n")
        (check,) = islice((one for one in kafka_checks(read_settings(config), None) if one.about == "registry"), 1)
        return check.mark, check.text

    with registry() as server:
        assert ("ok", f"{server.url} gives out schemas") == told(server.url)
        server.kept.login = ("cw", "geheim")
        assert ("bad", True) == ((found := told(server.url))[0], "does not let us in" in found[1])
    assert "bad" == told(server.url)[0]


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "http://[fe80::1]:8081", "http://0.0.0.0:8081", "file:///etc/passwd"]
)
def test_an_address_where_no_registry_can_be_is_not_asked(url: str) -> None:
    with pytest.raises(TemporaryError, match="is not asked"):
        RegistryClient(RegistryAccess(url)).schema(1)
