"""What is in the tree is about the project, not about the machine that it was written on."""

import re

from tests.tidy.tree import name_of, tracked

# Written in pieces, so that this file is not its own finding.
_PATHS = "|".join(
    ["/wor" + "k/", "/ro" + "ot/", "/farm" + "/", "/ho" + r"me/[a-z]", "/Use" + r"rs/[A-Za-z]", "/tmp/b" + "rief"]
)
_HOSTS = "|".join(
    f"{name}\\.{end}"
    for name, end in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "(org|com)"),
        ("crates", "io"),
        ("golang", "org"),
        ("maven", "org"),
        ("debian", "org"),
    )
)
MACHINE = re.compile(rf"(?<![\w.])({_PATHS})")
REGISTRY = re.compile(rf"\b({_HOSTS})\b|--(extra-)?index-u" + "rl")


def _lines(pattern: re.Pattern[str]) -> list[str]:
    found: list[str] = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a hostile sample: no prose
        found += [
            f"{name_of(path)}:{number}: {line.strip()[:120]}"
            for number, line in enumerate(text.splitlines(), 1)
            if pattern.search(line)
        ]
    return found


def test_no_place_of_one_machine_is_named() -> None:
    assert [] == _lines(MACHINE)


def test_no_registry_host_is_named() -> None:
    """Locks carry hashes and no addresses, so that a mirror serves as well."""
    assert [] == _lines(REGISTRY)


def test_the_patterns_see_what_they_are_for() -> None:
    assert MACHINE.search("open('/wor" + "k/main/x')")
    assert MACHINE.search("cd /ro" + "ot/x")
    assert not MACHINE.search("https://example.test/wor" + "k/")
    assert REGISTRY.search("https://py" + "pi.org/simple")
    assert not REGISTRY.search("org.coordwatch.service")


def test_locks_pin_every_package_with_a_hash() -> None:
    locks = [path for path in tracked() if path.parent.name == "requirements" and path.suffix == ".txt"]
    assert len(locks) == 6
    for lock in locks:
        pins = [line for line in lock.read_text(encoding="utf-8").split("\n") if line and line[0] not in " #"]
        assert pins
        assert [] == [line for line in pins if "==" not in line or not line.endswith("\\")], lock.name
