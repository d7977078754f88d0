"""Rooms that not every command needs: found by name, so that a command starts in the time its own imports take.

What enters: the name of a module. What leaves: the module, or the line that installs the extra it stands on.
The next room: the command that asked.
"""

import importlib
from importlib.util import find_spec
from types import ModuleType

from coordwatch.errors import PermanentError


def room(name: str) -> ModuleType:
    """The module `coordwatch.<name>`."""
    return importlib.import_module(f"coordwatch.{name}")


def needing_kafka(name: str) -> ModuleType:
    """The module `coordwatch.<name>`, which talks to Kafka.

    Raises: PermanentError when the extra is not installed
    """
    if find_spec("confluent_kafka") is None:
        raise PermanentError("Kafka's clients are not installed: pip install 'coordwatch[kafka]'")
    return room(name)
