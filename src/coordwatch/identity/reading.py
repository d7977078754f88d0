"""The identifiers of one Event, as digests: its subject, `data.identifiers` and its refs.

What enters: an Event. What leaves: a Reading: each usable identifier once, by digest and kind, and what was unusable.
The next room: `edges`, where identifiers that were read together become neighbours.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from coordwatch.events.event import Event, event_with
from coordwatch.identity.digest import EMAIL
from coordwatch.identity.identifier import (
    IdClass,
    Identifier,
    Kind,
    Unusable,
    UnusableReason,
    parse_identifier,
    type_word,
)
from coordwatch.identity.normalise import normalise
from coordwatch.identity.policy import NOBODY, REF_FIELDS, SUBJECT, IdentityPolicy

_REMEMBERED, _REMEMBERED_LENGTH = 20_000, 100
_Asked = tuple[str, str, str, str | None]
_DIGEST = re.compile(r"[^:+]+:[0-9a-f]{32}")


class Named(NamedTuple):
    """One usable identifier; `clear` is itself, or its aliases, when other forms may be learned: an address, or an older key."""

    digest: str
    kind: Kind
    clear: Identifier | tuple[str, ...] | None = None


class Reading(NamedTuple):
    """What one event says about who it belongs to, strongest first only where too many were named."""

    named: tuple[Named, ...]
    unusable: tuple[Unusable, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Give the digests alone: what to keep beside a fact, so that its customer can be asked again."""
        return tuple(named.digest for named in self.named)


class Reader:
    """Reads identifiers under one policy.

    What it read lately it knows again by one look-up; that memory is bounded, and part of no state.
    """

    def __init__(self, policy: IdentityPolicy) -> None:
        self._policy = policy
        self._kinds: dict[tuple[str, str], Kind] = {}
        self._scopes: dict[tuple[str, str | None], str] = {}
        self._lately: dict[_Asked, Named | Unusable] = {}
        self._before: dict[_Asked, Named | Unusable] = {}

    def kind(self, type_name: str, namespace: str) -> Kind:
        """Give the kind of a type and namespace, the same object each time."""
        kind = self._kinds.get((type_name, namespace))
        if kind is None:
            kind = self._kinds[type_name, namespace] = self._policy.kind(type_name, namespace)
        return kind

    def read(self, event: Event) -> Reading:
        """Give the identifiers of an event; what cannot be used is named with its reason, never raised."""
        found: dict[str, Named] = {}
        unusable: list[Unusable] = []
        if event.subject:
            subject = self.subject(event.subject)
            found[subject.digest] = subject
        for one in self._all(event):
            if isinstance(one, Unusable):
                unusable.append(one)
            elif one.clear is None or one.kind.rank.id_class is not IdClass.REF:
                found.setdefault(one.digest, one)
            else:
                # A ref is no customer: what an older key called it is simply named as well.
                for digest in (one.digest, *self.aliases(one)):
                    found.setdefault(digest, Named(digest, one.kind))
        named = tuple(found.values())
        if len(named) > self._policy.identifiers_max:
            named, rest = self._strongest(named, event.subject)
            unusable += [Unusable(one.kind.type, UnusableReason.TOO_MANY) for one in rest]
        return Reading(named, tuple(unusable))

    def subject(self, key: str) -> Named:
        """Give a customer key that somebody else stamped, as the identifier that it is; it is kept verbatim."""
        return Named(f"{SUBJECT}:{key}", self.kind(SUBJECT, ""))

    def one(self, raw: Any, tool: str | None) -> Named | Unusable:
        """Read one element of `data.identifiers`: an object, or text such as `email:a@example.com`."""
        if isinstance(raw, Mapping) and isinstance(raw.get("digest"), str) and isinstance(raw.get("type"), str):
            namespace = raw.get("namespace")
            return self._digested(raw["type"], namespace if isinstance(namespace, str) else "", raw["digest"])
        parsed = self._parsed(raw)
        return parsed if isinstance(parsed, Unusable) else self._clear(parsed, tool)

    def _parsed(self, raw: Any) -> Identifier | Unusable:
        if isinstance(raw, str):
            return parse_identifier(raw)
        if not isinstance(raw, Mapping) or not isinstance(raw.get("type"), str):
            return Unusable("", UnusableReason.MALFORMED)
        value, namespace = _text(raw.get("value")), raw.get("namespace")
        if value is None:
            return Unusable(type_word(raw["type"]), UnusableReason.MALFORMED)
        return Identifier(raw["type"], namespace if isinstance(namespace, str) else "", value)

    def trusted(self, event: Event) -> tuple[str, ...]:
        """Give the different values of the one type that a site trusts to be the customer key, as they are."""
        raw = event.data.get("identifiers")
        found: dict[str, None] = {}
        for element in raw if isinstance(raw, list | tuple) else ():
            parsed = self._parsed(element)
            if isinstance(parsed, Identifier) and type_word(parsed.type) == self._policy.trusted_type:
                formed = normalise(parsed, self._policy)
                if isinstance(formed, Identifier):
                    found[formed.value] = None
        return tuple(found)

    def pseudonymous(self, event: Event) -> Event:
        """Give the event with digests in place of clear identifiers, so that it can be parked and stored."""
        raw = event.data.get("identifiers")
        if not isinstance(raw, list | tuple):
            return event
        read = [self.one(element, event.tool) for element in raw]
        plain = [self._plain(one) for one in read if isinstance(one, Named)]
        return event_with(event, data={**event.data, "identifiers": plain})

    def without(self, event: Event, away: Callable[[str], bool]) -> Event:
        """Give the event without the identifiers and refs that are away; the same object when it names none of them."""
        tool, changed = event.tool, dict(event.data)
        raw = event.data.get("identifiers")
        if isinstance(raw, list | tuple):
            changed["identifiers"] = [one for one in raw if not self._is_away(self.one(one, tool), away)]
        for field in event.data.keys() & REF_FIELDS.keys():
            value = event.data[field]
            several = isinstance(value, list | tuple)
            left = [
                one for one in (value if several else (value,))
                if not self._is_away(self._ref(REF_FIELDS[field], one, tool), away)
            ]  # fmt: skip
            if several:
                changed[field] = left
            elif not left:
                del changed[field]
        return event if changed == event.data else event_with(event, data=changed)

    def _is_away(self, one: Named | Unusable, away: Callable[[str], bool]) -> bool:
        return isinstance(one, Named) and any(map(away, (one.digest, *self.aliases(one))))

    def _plain(self, named: Named) -> dict[str, str]:
        if named.kind.type == SUBJECT:
            return {"type": SUBJECT, "value": named.digest.removeprefix(SUBJECT + ":")}
        aliases = self.aliases(named)
        return {
            "type": named.kind.type,
            "namespace": named.kind.namespace,
            "digest": "+".join((named.digest, *aliases)),
        }

    def aliases(self, named: Named) -> tuple[str, ...]:
        """Give the digests under which others may know the same identifier."""
        if isinstance(named.clear, Identifier):
            return self._policy.digester.aliases(named.clear)
        return named.clear or ()

    def _all(self, event: Event) -> Iterator[Named | Unusable]:
        data, tool = event.data, event.tool
        raw = data.get("identifiers")
        if isinstance(raw, list | tuple):
            for element in raw:
                yield self.one(element, tool)
        elif raw is not None:
            yield Unusable("", UnusableReason.MALFORMED)
        for field in data:
            name = REF_FIELDS.get(field)
            values = None if name is None else data[field]
            if name is not None and values is not None:
                for value in values if isinstance(values, list | tuple) else (values,):
                    yield self._ref(name, value, tool)

    def _ref(self, name: str, value: Any, tool: str | None) -> Named | Unusable:
        text = _text(value)
        if text is None:
            return Unusable(name, UnusableReason.MALFORMED)
        return self._clear(Identifier(name, "", text), tool)

    def _clear(self, identifier: Identifier, tool: str | None) -> Named | Unusable:
        asked = (identifier.type, identifier.namespace, identifier.value, tool)
        one = self._lately.get(asked)
        if one is None:
            one = self._before.get(asked) or self._fresh(identifier, tool)
            if len(identifier.value) <= _REMEMBERED_LENGTH:
                if len(self._lately) >= _REMEMBERED:
                    self._before, self._lately = self._lately, {}
                self._lately[asked] = one
        return one

    def _fresh(self, identifier: Identifier, tool: str | None) -> Named | Unusable:
        formed = normalise(identifier, self._policy, tool)
        if isinstance(formed, Unusable):
            return formed
        name, namespace = formed.type, formed.namespace
        if name == SUBJECT:
            return self.subject(formed.value)
        if name == EMAIL:
            return Named(self._policy.digester.digest(formed), self.kind(EMAIL, ""), formed)
        if not namespace:
            namespace = self._scope(name, tool)
            if namespace:
                formed = Identifier(name, namespace, formed.value)
        digester = self._policy.digester
        if name == "email_sha256":
            return Named(digester.digest(formed), self.kind(EMAIL, namespace))
        return Named(digester.digest(formed), self.kind(name, namespace), formed if digester.rotates else None)

    def _scope(self, name: str, tool: str | None) -> str:
        scope = self._scopes.get((name, tool))
        if scope is None:
            scope = self._scopes[name, tool] = self._policy.namespace(name, tool)
        return scope

    def _digested(self, word: str, namespace: str, digests: str) -> Named | Unusable:
        """Read what `pseudonymous` wrote: the namespace is part of the digest already."""
        name = type_word(word)
        digest, *aliases = digests.split("+")
        if name in NOBODY:
            return Unusable(name, UnusableReason.NOBODY)
        if not all(map(_DIGEST.fullmatch, (digest, *aliases))):
            return Unusable(name, UnusableReason.MALFORMED)
        if not self._policy.digester.knows(digest):
            return Unusable(name, UnusableReason.FOREIGN_KEY)
        return Named(digest, self.kind(name, namespace), tuple(aliases) or None)

    def _strongest(self, named: tuple[Named, ...], subject: str | None) -> tuple[tuple[Named, ...], tuple[Named, ...]]:
        """Split off what is over the limit, the same way whatever the order in which it was written."""
        stamped = f"{SUBJECT}:{subject}"
        ordered = sorted(named, key=lambda one: (one.digest != stamped, one.kind.rank, one.digest))
        return tuple(ordered[: self._policy.identifiers_max]), tuple(ordered[self._policy.identifiers_max :])


def _text(value: Any) -> str | None:
    """Give the text of a value that JSON wrote as text or as a whole number."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
