"""Certificates for one test run: an authority, a broker, a client, and a stranger whom that authority never saw.

Enters: a folder. Leaves: PEM files in it, made by the machine's openssl; keys are PKCS#8, as Kafka wants them.
"""

import shutil
import subprocess
from pathlib import Path

from tests.services.cache import MissingError
from tests.services.processes import LOOPBACK

HOW = "TLS is tried with certificates made by openssl, and there is none. Type: sudo apt-get install openssl"


def make_certificates(folder: Path) -> None:
    """Write ca.pem, broker.pem (key and chain), client.pem with client.key, stranger.pem with stranger.key."""
    if shutil.which("openssl") is None:
        raise MissingError(HOW)
    folder.mkdir(parents=True, exist_ok=True)
    for authority, holders in (("ca", ("broker", "client")), ("other-ca", ("stranger",))):
        _key(folder, authority)
        _openssl(folder, "req", "-x509", "-new", "-key", f"{authority}.key", "-days", "2", "-subj",
                 f"/CN=coordwatch tests {authority}", "-out", f"{authority}.pem")  # fmt: skip
        for holder in holders:
            _signed(folder, authority, holder)
    pair = [(folder / name).read_text(encoding="ascii") for name in ("broker.key", "broker.crt", "ca.pem")]
    (folder / "broker.pem").write_text("".join(pair), encoding="ascii")


def _signed(folder: Path, authority: str, holder: str) -> None:
    _key(folder, holder)
    _openssl(folder, "req", "-new", "-key", f"{holder}.key", "-subj", f"/CN={holder}", "-out", f"{holder}.csr")
    (folder / f"{holder}.ext").write_text(f"subjectAltName=IP:{LOOPBACK},DNS:localhost\n", encoding="ascii")
    _openssl(folder, "x509", "-req", "-in", f"{holder}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
             "-CAcreateserial", "-days", "2", "-extfile", f"{holder}.ext", "-out", f"{holder}.crt")  # fmt: skip
    (folder / f"{holder}.pem").write_bytes((folder / f"{holder}.crt").read_bytes())


def _key(folder: Path, name: str) -> None:
    _openssl(folder, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")


def _openssl(folder: Path, *words: str) -> None:
    done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
