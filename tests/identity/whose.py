"""What is counted of sources and of how events came to their customers, apart from the accounts, which add up without it."""

from collections.abc import Mapping

from coordwatch.sources.lookups import KNOWN, UNKNOWN

_KINDS = ("whose", "gap", "unusable")
_SOURCES = ("source", "time", "filled")


def whose(counts: Mapping[str, int]) -> dict[str, int]:
    """How events came to their customers."""
    return {name: amount for name, amount in counts.items() if name.partition(".")[0] in _KINDS}


def accounts(counts: Mapping[str, int]) -> dict[str, int]:
    """Everything else that was counted, but for what was looked up in the catalogue."""
    others = (*_KINDS, *_SOURCES, KNOWN, UNKNOWN)
    return {name: amount for name, amount in counts.items() if name.partition(".")[0] not in others}
