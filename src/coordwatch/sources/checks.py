"""Checks: whether a value is plainly what its field wants, written out; most are, and need no function.

What enters: a Field of the taxonomy, and the function of `kinds` for whatever is not plainly right. What leaves: an expression
over the variable `v`. The next room: `fields`.
"""

from coordwatch.events.vocabulary import REFS, Field
from coordwatch.sources.changes import NOTHING_BEGINS, name_of
from coordwatch.sources.code import Code
from coordwatch.sources.kinds import INTEGER_MAX, TEXT_MAX, Convert


def kind_expression(name: str, field: Field, slow: Convert, code: Code) -> str:
    """Write out how `v` becomes what the field wants.

    Takes: `slow`, the function for every value that is not plainly right
    """
    otherwise = f"{code.name(slow)}(v)"
    short = f"type(v) is str and len(v) <= {TEXT_MAX}"
    if field.kind == "string" and field.values:
        return f"v if type(v) is str and v in {code.name(frozenset(field.values))} else {otherwise}"
    if name in REFS:
        text = name_expression("v", code)
        return f"({text} if {short} else str(v) if type(v) is int and v else {otherwise})"
    if field.kind in ("string", "strings"):
        return f"(v.strip() or None if {short} else str(v) if type(v) is int else {otherwise})"
    if field.kind == "integer":
        return f"(v if type(v) is int and {-INTEGER_MAX} <= v <= {INTEGER_MAX} else {otherwise})"
    if field.kind == "number":
        return f"(v if type(v) is int or type(v) is float and v - v == 0 else {otherwise})"
    return f"(v if v is True or v is False else {otherwise})" if field.kind == "boolean" else otherwise


def name_expression(text: str, code: Code) -> str:
    """Write out what `name_of` gives for a variable that holds a text; few texts begin like those that are none."""
    found = code.temporary()
    plain = f"({found} := {text}.strip()) and {found}[0] not in {code.name(NOTHING_BEGINS)}"
    return f"({found} if {plain} else {code.name(name_of)}({found}))"
