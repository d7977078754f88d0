"""Around: whether a wrapper may lie around a payload at all, found by one look at its names.

What enters: the wrappers of a mapping. What leaves: an Around, which peels only where there is something to peel; most
payloads come bare, and each wrapper that looks at one in vain costs as much as a field. The next room: `mapper`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from coordwatch.sources.envelope import Envelope, Options
from coordwatch.sources.unwrap import WRAPPERS, peel

# An object without any of these names is none of these wrappers; those without names here are texts.
_TELLING: Mapping[str, tuple[str, ...]] = {
    "connect": ("schema",),
    "debezium": ("op",),
    "eventbridge": ("detail-type",),
    "sns": ("Sns", "TopicArn"),
    "pubsub": ("message",),
    "cloudwatch": ("messageType", "message"),
    "http_bridge": ("body", "metadata"),
    "cloudevents": ("specversion",),
    "json_text": (),
    "snowplow_tsv": (),
    "named": (),
    "json_field": (),
}


class Around:
    """The wrappers of a mapping, from the outside in."""

    def __init__(self, wrappers: Sequence[tuple[str, Options]]) -> None:
        names = [name for name, _ in wrappers]
        self._wrappers = tuple((WRAPPERS[name][0], options) for name, options in wrappers)
        self._telling = frozenset(word for name, options in wrappers for word in _words(name, options))
        self._unions = "avro_unions" in names
        self._without_unions = Around([one for one in wrappers if one[0] != "avro_unions"]) if self._unions else self
        self._headers = "cloudevents" in names
        self._alone = "named" in names

    def is_bare(self, body: Any, headers: Mapping[str, str]) -> bool:
        """Tell that none of the wrappers is there; where this is not sure, they have to be asked."""
        if self._unions or (self._headers and headers):
            return False
        if type(body) is dict:
            return body.keys().isdisjoint(self._telling) and not (self._alone and len(body) == 1)
        return type(body) is list

    def is_bare_inside(self, body: Any, headers: Mapping[str, str]) -> bool:
        """The same of a piece of what was peeled: where unions are taken out, they went out of the whole."""
        return self._without_unions.is_bare(body, headers)

    def peel(self, envelope: Envelope) -> None:
        """Peel every wrapper that is there; it raises what `unwrap.peel` raises."""
        peel(envelope, self._wrappers)


def _words(name: str, options: Options) -> tuple[str, ...]:
    return (options["name"],) if name == "json_field" else _TELLING.get(name, ())
