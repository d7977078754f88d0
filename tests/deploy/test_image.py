"""The image: no Docker runs here, so the Dockerfile is read, and what it installs is installed into a folder and run."""

import json
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT, name_of, tracked

FILE = ROOT / "deploy" / "Dockerfile"
IGNORED = ROOT / "deploy" / "Dockerfile.dockerignore"


def instructions() -> list[tuple[str, str]]:
    """Every instruction with its arguments, continued lines joined, comments gone."""
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def of(word: str) -> list[str]:
    return [rest for each, rest in instructions() if each == word]


def last_stage() -> list[tuple[str, str]]:
    everything = instructions()
    start = max(number for number, (word, _) in enumerate(everything) if word == "FROM")
    return everything[start:]


def health_check() -> list[str]:
    """The words of the command that says whether the container is well."""
    _, _, command = dict(last_stage())["HEALTHCHECK"].partition(" CMD ")
    words: list[str] = json.loads(command)
    return words


def sources() -> list[str]:
    """What is copied from the repository."""
    return [name for rest in of("COPY") if "--from=" not in rest for name in shlex.split(rest)[:-1]]


def test_everything_that_is_copied_is_there_and_not_ignored() -> None:
    allowed = [line[1:] for line in IGNORED.read_text(encoding="utf-8").splitlines() if line.startswith("!")]
    for name in sources():
        assert (ROOT / name).exists(), name
        assert any(fnmatch(name, pattern) for pattern in allowed), name
    assert sorted(allowed) == sorted(sources()), "what is not copied does not reach the builder"


def test_no_secret_and_nothing_untracked_gets_into_the_image() -> None:
    names = {name_of(path) for path in tracked()}
    for name in sources():
        assert name in names or any(one.startswith(f"{name}/") for one in names), name
    assert not {"deploy", "."} & set(sources())


def test_whatever_is_installed_has_its_hash() -> None:
    installs = [part for rest in of("RUN") for part in rest.split("&&") if " install " in part and "pip" in part]
    assert len(installs) == 3
    for line in installs:
        locked = re.search(r"--require-hashes .*-r (requirements/\S+\.txt)", line)
        if locked:
            assert (ROOT / locked[1]).is_file()
        else:
            # The wheel that was built here: nothing is fetched for it.
            assert "--no-index --no-deps dist/*.whl" in line
    assert not re.search(r"apt-get|curl|wget|ADD ", FILE.read_text(encoding="utf-8"))


def test_the_image_does_not_run_as_root_and_ends_when_it_is_asked_to() -> None:
    stage = dict(last_stage())
    user, _, group = stage["USER"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert stage["STOPSIGNAL"] == "SIGTERM"
    for word in ("ENTRYPOINT", "CMD"):
        assert isinstance(json.loads(stage[word]), list), "a shell in between would keep the signal to itself"
    assert json.loads(stage["ENTRYPOINT"]) == ["coordwatch"]
    assert json.loads(stage["CMD"])[0] == "worker"
    assert stage["VOLUME"] == f'["{stage["WORKDIR"]}"]'


def test_the_health_check_is_an_exact_command_on_livez() -> None:
    words = health_check()
    assert words[:2] == ["python", "-c"]
    compile(words[2], "the health check", "exec")
    assert "http://127.0.0.1:8484/livez" in words[2]
    assert dict(last_stage())["EXPOSE"] == "8484"


def test_the_bases_are_of_one_python_and_nothing_else() -> None:
    bases = [rest.split()[0] for rest in of("FROM")]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.1[1-9]-slim-[a-z]+", bases[0])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image holds, in a folder: the locked packages and the wheel."""
    folder = tmp_path_factory.mktemp("image")
    wheel = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(wheel, cwd=ROOT, check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--python", str(folder / "venv")]
    locked = [*uv, "--require-hashes", "-r", str(ROOT / "requirements" / "worker.txt")]
    # Away from the repository: what uv reads in pyproject.toml is for making the locks.
    subprocess.run(locked, check=True, capture_output=True, cwd=folder)
    (built,) = (folder / "dist").glob("*.whl")
    subprocess.run([*uv, "--offline", "--no-deps", str(built)], check=True, capture_output=True, cwd=folder)
    return folder / "venv" / "bin"


def test_the_locked_packages_are_all_that_a_worker_needs(installed: Path) -> None:
    """Every module of ours imports, those of Kafka too, with nothing of the tests beside them; Alembic alone runs its `env`."""
    program = (
        "import importlib, pkgutil, coordwatch\n"
        "names = [one.name for one in pkgutil.walk_packages(coordwatch.__path__, 'coordwatch.')]\n"
        "for name in names:\n"
        "    name.endswith(('__main__', '.env')) or importlib.import_module(name)\n"
        "import confluent_kafka, faust, cramjam\n"
        "print(len(names))\n"
    )
    shown = subprocess.run(
        [installed / "python", "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=installed,
    )
    assert shown.returncode == 0, shown.stderr
    assert int(shown.stdout) > 100


def test_the_command_is_there_and_finds_what_ships(installed: Path) -> None:
    shown = subprocess.run([installed / "coordwatch", "rules", "list"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "promo-during-open-complaint" in shown.stdout
