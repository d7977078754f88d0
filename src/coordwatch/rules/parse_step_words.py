"""The words that steps share: `same`, `per`, `within`, `distinct`, `since` and what a `where` may name in, values out.

The next room: `parse_steps`, which reads whole steps with them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from coordwatch.documents import Fields, Items, Scalar
from coordwatch.errors import Place
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.vocabulary import EventType
from coordwatch.rules.fields import NoField, field_at
from coordwatch.rules.parse_nodes import Reader
from coordwatch.rules.resolve import Scope
from coordwatch.rules.spec import Act, Match, SharedSpec, Window

_COMPARED = ("string", "integer", "number", "boolean", "strings", "any", "timestamp")


@dataclass(slots=True)
class Names:
    """The steps read so far: their types, what kind of step each is, and why some may not be named in a `where`."""

    types: dict[str, tuple[EventType, ...]] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    closed_to: dict[str, str] = field(default_factory=dict)

    def open_names(self) -> dict[str, tuple[EventType, ...]]:
        """The steps that a later `where` may name."""
        return {name: types for name, types in self.types.items() if name not in self.closed_to}


class WordReader:
    """Reads the words of steps, and knows the steps read so far."""

    def __init__(self, reader: Reader, shared: SharedSpec, later: Iterable[str]) -> None:
        self.reader = reader
        self.shared = shared
        self.names = Names()
        self.later = set(later)
        self.act: Act | None = None

    # ---- what a `where` may name

    def scope(self, own: tuple[EventType, ...], state: Mapping[str, tuple[EventType, ...]] | None = None) -> Scope:
        """What an expression over the fields of `own` may name at this point of the file."""
        later = {name: f"'{name}' comes later; a step sees only the steps before it" for name in self.later}
        closed = {name: later[name] for name in self.later if name not in self.names.roles} | self.names.closed_to
        steps = {**self.names.types, **(state or {})}
        for name in state or {}:
            closed.pop(name, None)
        known = {**dict.fromkeys(closed, ()), **steps}
        return Scope(own, known, self.shared, self.reader.problems, closed_to=closed)

    def act_scope(self, *, bound: bool) -> Scope:
        """The scope of `by` and of exceptions: bare names are fields of the act; `bound` opens the other steps too."""
        assert self.act is not None
        types = self.names.types[self.act.name]
        scope = self.scope(types)
        if not bound:
            for name in self.names.types:
                if name != self.act.name:
                    scope.closed_to = {**scope.closed_to, name: "'by' is a time of the act; it sees no other step"}
        scope.own_step = scope.act_alias = self.act.name
        return scope

    # ---- keys

    def same(self, step: Fields, key: str) -> dict[str, str]:
        """Read keys in any of three forms: a name, a map, a list of names and maps."""
        node = step.items.get(key)
        if node is None:
            return {}
        found: dict[str, str] = {}
        for item in node.items if isinstance(node, Items) else (node,):
            if isinstance(item, Scalar) and item.text and item.value is not None:
                self._add_key(found, item.text, item.text, item.place)
            elif isinstance(item, Fields):
                for name, path in item.items.items():
                    if isinstance(path, Scalar) and path.text and path.value is not None:
                        self._add_key(found, name, path.text, item.places[name])
                    else:
                        self.reader.problem(path.place, f"'{name}' needs the path of its value", "{item: items.sku}")
            else:
                self.reader.problem(
                    item.place, f"'{key}' holds names, or maps of a name to a path", "[case, {item: items.sku}]"
                )
        return found

    def _add_key(self, found: dict[str, str], name: str, path: str, place: Place) -> None:
        if name in found:
            self.reader.problem(place, f"the key '{name}' stands here twice")
        found[name] = path

    def check_paths(self, same: Mapping[str, str], step: Fields, word: str, matches: Iterable[Match]) -> None:
        """Each key must stand somewhere in each event that the step takes."""
        node = step.items.get(word)
        if node is None:
            return
        for path in same.values():
            for match in matches:
                self._check_path(TYPES[match.event], path, node.place)

    def _check_path(self, event: EventType, path: str, place: Place) -> None:
        found = field_at(event, path.split("."), through_lists=True)
        if isinstance(found, NoField):
            self.reader.problem(place, found.message, found.hint(self.reader.problems))
        elif found.kind not in _COMPARED:
            inner = next(iter(found.fields), "name")
            self.reader.problem(place, f"'{path}' is no single value", f"name a field inside it: {path}.{inner}")

    def check_act_keys(self, same: Mapping[str, str], step: Fields) -> None:
        """Each key must stand somewhere in the act, at the place `when` gives or under its own name."""
        if self.act is None or not self.act.matches:
            return
        for key in same:
            paths = [(TYPES[match.event], match.same.get(key, key)) for match in self.act.matches]
            found = [field_at(event, path.split("."), through_lists=True) for event, path in paths]
            if all(isinstance(one, NoField) or one.kind not in _COMPARED for one in found):
                place = step.items["same"].place
                message = f"the act '{self.act.name}' has no '{key}' to compare with"
                self.reader.problem(
                    place, message, f"say where it stands: when: {{{self.act.name}: {{same: {{{key}: ...}}}}}}"
                )

    def window(self, step: Fields, *, forever: bool = False) -> Window | None:
        node = step.items.get("within")
        if node is None:
            return None
        if isinstance(node, Fields):
            return self._open_window(node)
        if isinstance(node, Scalar) and node.text == "forever":
            if not forever:
                self.reader.problem(
                    node.place, "'forever' is for after steps and at_most", "write the longest time that matters"
                )
            return None
        return Window(self.reader.duration_of(node, "within"))

    def _open_window(self, node: Fields) -> Window:
        self.reader.known_words(node, ("open", "calendar"), "a within of open time")
        self.reader.required(node, ("open", "calendar"), "a within of open time")
        calendar = self.reader.text(node, "calendar")
        if calendar and calendar not in self.shared.calendars:
            hint = self.reader.hint(calendar, self.shared.calendars) or "calendars stand in _shared.yaml"
            self.reader.problem(node.items["calendar"].place, f"there is no calendar '{calendar}'", hint)
        return Window(self.reader.duration(node, "open"), calendar or None)

    def distinct(self, step: Fields, matches: Iterable[Match]) -> str | None:
        path = self.reader.text(step, "distinct")
        if not path:
            return None
        for match in matches:
            self._check_path(TYPES[match.event], path, step.items["distinct"].place)
        return path

    def since(self, step: Fields, roles: tuple[str, ...], wanted: str) -> str | None:
        name = self.reader.text(step, "since")
        if not name:
            return None
        if self.names.roles.get(name) in roles:
            return name
        choices = [each for each, role in self.names.roles.items() if role in roles]
        hint = self.reader.hint(name, choices) if name not in self.names.roles else None
        self.reader.problem(step.items["since"].place, f"'since: {name}' must name {wanted}", hint)
        return None
