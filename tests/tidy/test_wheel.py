"""A wheel carries everything that a run needs: code, pages, rule content, schemas, types."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.tidy.tree import PACKAGE, ROOT, tracked


def test_the_wheel_is_complete(tmp_path: Path) -> None:
    """Everything tracked below src/coordwatch, rules/ and schemas/ is in it, and nothing else."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {f"coordwatch/{path.relative_to(PACKAGE)}" for path in tracked() if path.is_relative_to(PACKAGE)}
    for content in ("rules", "schemas"):
        inside = [path for path in tracked() if path.is_relative_to(ROOT / content)]
        expected |= {f"coordwatch/_content/{path.relative_to(ROOT)}" for path in inside}
    assert expected == carried
