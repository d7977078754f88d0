"""What the tests of several channels share: a receiver on a real socket."""

from collections.abc import Iterator

import pytest

from tests.channels.receivers import HttpReceiver


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    """A receiver that keeps what it is told, and answers as a test says."""
    made = HttpReceiver()
    yield made
    made.close()
