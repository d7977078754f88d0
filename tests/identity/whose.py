"""What is counted of sources and of how events came to their customers, apart from the accounts, which add up without it."""

from collections.abc import Mapping

_KINDS = ("whose", "gap", "unusable")
_SOURCES = ("source", "time")


def whose(counts: Mapping[str, int]) -> dict[str, int]:
    """How events came to their customers."""
    return {name: amount for name, amount in counts.items() if name.partition(".")[0] in _KINDS}


def accounts(counts: Mapping[str, int]) -> dict[str, int]:
    """Everything else that was counted."""
    return {name: amount for name, amount in counts.items() if name.partition(".")[0] not in (*_KINDS, *_SOURCES)}
