"""Objects: a list of objects such as the items of an order, read and checked in one loop.

What enters: a field of objects and the `each` of a mapping for it. What leaves: an expression for what goes into `data`. Where
anything in the list is not plainly right, the whole of it is read again the slow way, which says what is wrong.
The next room: `fields`, which puts it down.
"""

from typing import Any

from coordwatch.events.vocabulary import Field
from coordwatch.sources.changes import Build
from coordwatch.sources.checks import kind_expression
from coordwatch.sources.code import Code
from coordwatch.sources.kinds import Convert, KindError, converter
from coordwatch.sources.loops import each_lines
from coordwatch.sources.mapping import EachOf, ValueSpec, values_inside
from coordwatch.sources.paths import Scope, path_expression
from coordwatch.sources.values import compile_value, conditional, is_unchanged, value_expression


def objects_expression(field: Field, spec: ValueSpec, converted: Convert, build: Build, code: Code) -> str | None:
    """Write out a field of objects; None where it is not made by one loop.

    What looks words up in a table that is counted is none of these: read twice, it would count twice.
    """
    each = spec.origin
    if field.kind != "objects" or not isinstance(each, EachOf) or not is_unchanged(spec):
        return None
    if any(isinstance(inner.table, str) for inner in values_inside([spec])):
        return None
    get = compile_value(spec, build, code.item_is_dict)

    def slow(scope: Scope) -> Any:
        value = get(scope)
        return None if value is None else converted(value)

    loop = Code(item_is_dict=code.item_is_dict, let=code.let)
    elements, again = path_expression(each.path, loop), f"{loop.name(slow)}(scope)"
    loop.each_is_local = True
    rows = [
        (
            loop.name(name),
            value_expression(each.fields[name], build, loop),
            kind_expression("", one, converter(one), loop),
        )
        for name, one in field.fields.items()
        if name in each.fields
    ]
    lines = each_lines(elements, again, rows)
    outer = ["outer = scope.each", "try:", *(f"    {line}" for line in lines)]
    outer += [f"except {loop.name(KindError)}:", "    scope.each = outer", f"    return {again}"]
    return conditional(f"{code.name(loop.function(outer))}(scope)", spec, code)
