"""The composition root: the one room that knows every adapter and puts the programs together.

What enters: Settings, or what a demo is asked for. What leaves: a program that can be run.
The next room: the command line, which runs it. `worker` stands apart, since it needs the extra `kafka`.
"""

from coordwatch.app.content import (
    Content,
    identity_policy,
    kafka_access,
    load_content,
    progress_of,
    source_of,
    types_of,
)
from coordwatch.app.one_process import build

__all__ = [
    "Content",
    "build",
    "identity_policy",
    "kafka_access",
    "load_content",
    "progress_of",
    "source_of",
    "types_of",
]
