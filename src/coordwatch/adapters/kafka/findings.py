"""Findings: what about a Kafka is not as it must be, each with the next move.

What enters: what `reach`, `topics`, `rights` and `keys` saw. What leaves: lines for `doctor`, or one refusal with all of
them. The next room: whoever starts on that Kafka.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from coordwatch.errors import PermanentError, TemporaryError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing. Nothing starts on a `bad` one; what is `temporary` may be well a minute later."""

    about: str
    text: str
    move: str
    bad: bool = True
    temporary: bool = False

    def __str__(self) -> str:
        return f"{self.text}: {self.move}"


def refuse(findings: Sequence[Finding]) -> None:
    """Refuse to start when there is a bad finding, with all of them, one a line.

    Raises: PermanentError; TemporaryError when all that is bad may pass by itself
    """
    bad = [finding for finding in findings if finding.bad]
    if not bad:
        return
    text = "\n".join(str(finding) for finding in bad)
    if all(finding.temporary for finding in bad):
        raise TemporaryError(text)
    raise PermanentError(text)
