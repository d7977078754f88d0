"""An example as people look at it: the payload on the left, what became of it on the right.

What enters: the result of an example, the width of the terminal. What leaves: lines. The next room: `sources test --show`.
"""

import json
import textwrap
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from coordwatch.events.event import Event
from coordwatch.events.times import format_time
from coordwatch.sources.examples import ExampleResult

_LEAST, _MOST = 60, 180
_OURS = frozenset(("tool", "time_basis"))


def shown(result: ExampleResult) -> dict[str, Any]:
    """Before and after as plain data."""
    mapped = result.result
    return {
        "before": result.payload,
        "events": [_plain(event) for event in mapped.events],
        "dropped": [reason.value for reason in mapped.dropped],
        "rejected": [
            {"piece": one.piece, "reason": one.reason.value, "path": one.path, "detail": one.detail}
            for one in mapped.rejected
        ],
    }


def side_by_side(result: ExampleResult, width: int) -> Iterator[str]:
    """Before and after in two columns."""
    half = (max(_LEAST, min(width, _MOST)) - 3) // 2
    left = [line for text in _before(result.payload) for line in _wrapped(text, half)]
    right = [line for text in _after(result) for line in _wrapped(text, half)]
    for one, other in zip_longest(left, right, fillvalue=""):
        yield f"{one:<{half}} | {other}".rstrip()


def _plain(event: Event) -> dict[str, Any]:
    data = {name: value for name, value in event.data.items() if name not in _OURS}
    basis = event.data.get("time_basis", "event")
    return {"type": event.type, "id": event.id, "time": format_time(event.time), "time_basis": basis, **data}


def _before(payload: Any) -> list[str]:
    return (
        payload.splitlines()
        if isinstance(payload, str)
        else json.dumps(payload, indent=1, ensure_ascii=False).splitlines()
    )


def _after(result: ExampleResult) -> Iterator[str]:
    for event in result.result.events:
        plain = _plain(event)
        yield str(plain.pop("type"))
        for name, value in plain.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield f"  {name}: {text}"
    for reason in result.result.dropped:
        yield f"left aside: {reason.value}"
    for one in result.result.rejected:
        yield f"refused: {one.reason.value} at {one.path or 'the record'}: {one.detail}"


def _wrapped(text: str, width: int) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    return textwrap.wrap(text, width, subsequent_indent=indent, drop_whitespace=False, break_on_hyphens=False) or [""]
