"""JMESPath expressions as functions: the tree that the library read, each node a function of a value.

What enters: the text of an expression. What leaves: a function that gives what the library's own interpreter gives, without
walking the tree again for each payload; functions such as `join` stay the library's. The next room: `conditions`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jmespath
from jmespath.functions import Functions
from jmespath.visitor import TreeInterpreter

Ask = Callable[[Any], Any]
Tree = Mapping[str, Any]
_COMPARE = TreeInterpreter.COMPARATOR_FUNC
_call = Functions().call_function


def compile_jmes(text: str) -> Ask:
    """Make the function of an expression.

    Raises: the library's own ValueErrors when the text is no expression
    """
    expression = jmespath.compile(text)
    ask: Ask = expression.search if _is_foreign(expression.parsed) else _ask(expression.parsed)
    return ask


def _is_foreign(node: Tree) -> bool:
    """Whether a tree holds what is left to the library."""
    kind = node["type"]
    known = kind in _MAKERS or kind in ("field", "literal", "current", "identity", "key_val_pair")
    children = () if kind == "slice" else node["children"]
    return not known or any(map(_is_foreign, children))


def _ask(node: Tree) -> Ask:
    match node["type"]:
        case "field":
            return _fields([node["value"]])
        case "literal":
            value = node["value"]
            return lambda _: value
        case "current" | "identity":
            return lambda value: value
    return _MAKERS[node["type"]](node)


def _fields(names: list[str]) -> Ask:
    if len(names) == 1:
        only = names[0]
        return lambda value: value.get(only) if type(value) is dict else None

    def fields(value: Any) -> Any:
        for name in names:
            if type(value) is not dict:
                return None
            value = value.get(name)
        return value

    return fields


def _chain(node: Tree) -> Ask:
    children = node["children"]
    if all(child["type"] == "field" for child in children):
        return _fields([child["value"] for child in children])
    steps = [_ask(child) for child in children if child["type"] not in ("current", "identity")]
    if len(steps) == 2:
        first, second = steps
        return lambda value: second(first(value))

    def chain(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return chain


def _index(node: Tree) -> Ask:
    at = node["value"]
    return lambda value: value[at] if type(value) is list and -len(value) <= at < len(value) else None


def _projection(node: Tree) -> Ask:
    base, each = map(_ask, node["children"])

    def projection(value: Any) -> Any:
        elements = base(value)
        return [found for one in elements if (found := each(one)) is not None] if type(elements) is list else None

    return projection


def _value_projection(node: Tree) -> Ask:
    base, each = map(_ask, node["children"])

    def projection(value: Any) -> Any:
        found = base(value)
        elements = found.values() if type(found) is dict else None
        return None if elements is None else [inner for one in elements if (inner := each(one)) is not None]

    return projection


def _filter(node: Tree) -> Ask:
    base, each, holds = map(_ask, node["children"])

    def filtered(value: Any) -> Any:
        elements = base(value)
        if type(elements) is not list:
            return None
        kept = [one for one in elements if not _is_false(holds(one))]
        return [found for one in kept if (found := each(one)) is not None]

    return filtered


def _flatten(node: Tree) -> Ask:
    base = _ask(node["children"][0])

    def flat(value: Any) -> Any:
        elements = base(value)
        if type(elements) is not list:
            return None
        return [inner for one in elements for inner in (one if type(one) is list else (one,))]

    return flat


def _comparator(node: Tree) -> Ask:
    left, right = map(_ask, node["children"])
    word = next(
        (one["value"] for one in node["children"] if one["type"] == "literal" and type(one["value"]) is str), None
    )
    compare = _COMPARE[node["value"]]
    if word is not None and node["value"] == "eq":
        return lambda value: left(value) == right(value)  # a text is no number, so nothing special is to be seen to
    if node["value"] in ("eq", "ne"):
        return lambda value: compare(left(value), right(value))

    def ordered(value: Any) -> Any:
        one, other = left(value), right(value)
        return compare(one, other) if _has_order(one) and _has_order(other) else None

    return ordered


def _or(node: Tree) -> Ask:
    first, second = map(_ask, node["children"])

    def either(value: Any) -> Any:
        found = first(value)
        return second(value) if _is_false(found) else found

    return either


def _and(node: Tree) -> Ask:
    first, second = map(_ask, node["children"])

    def both(value: Any) -> Any:
        found = first(value)
        return found if _is_false(found) else second(value)

    return both


def _not(node: Tree) -> Ask:
    inner = _ask(node["children"][0])

    def no(value: Any) -> bool:
        found = inner(value)
        return not found and (type(found) not in (int, float))  # the number 0 is something

    return no


def _list(node: Tree) -> Ask:
    parts = [_ask(child) for child in node["children"]]
    return lambda value: None if value is None else [part(value) for part in parts]


def _dict(node: Tree) -> Ask:
    parts = {child["value"]: _ask(child["children"][0]) for child in node["children"]}
    return lambda value: None if value is None else {name: part(value) for name, part in parts.items()}


def _function(node: Tree) -> Ask:
    name, parts = node["value"], [_ask(child) for child in node["children"]]
    if name == "contains" and len(parts) == 2:
        where, what = parts

        def contains(value: Any) -> Any:
            elements, wanted = where(value), what(value)
            return wanted in elements if type(elements) is list else _call("contains", [elements, wanted])

        return contains
    return lambda value: _call(name, [part(value) for part in parts])


def _is_false(value: Any) -> bool:
    return not value and (value is None or value is False or value in ("", [], {}))


def _has_order(value: Any) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


_MAKERS: Mapping[str, Callable[[Tree], Ask]] = {
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "index": _index,
    "projection": _projection,
    "value_projection": _value_projection,
    "filter_projection": _filter,
    "flatten": _flatten,
    "comparator": _comparator,
    "or_expression": _or,
    "and_expression": _and,
    "not_expression": _not,
    "multi_select_list": _list,
    "multi_select_dict": _dict,
    "function_expression": _function,
}
