"""Conditions to Python: a resolved tree in, a piece of Python's own syntax tree out; never a string of source.

`true_code` is truthy exactly when the expression is true under Kleene logic, `false_code` exactly when it is false; so
`&&` and `||` become `and` and `or`, and the common comparisons become one inline comparison with no call. Where an
operand must be computed first, its value (None for unknown) is computed once, by the operations of `runtime`.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, FunctionType
from typing import Any

from coordwatch.rules.expression import (
    Binary,
    Call,
    Expression,
    FieldRef,
    Has,
    ListOf,
    Literal,
    Quantifier,
    Unary,
)
from coordwatch.rules.kinds import (
    ARGUMENTS,
    ARITHMETIC,
    arithmetic_kind,
    element_kind,
    is_timed,
    kind_of,
    may_be,
    may_equal,
    may_order,
)

Read = Callable[[FieldRef], ast.expr]
_INLINE_WORDS = 8
_CALLS = {
    "size": "_size", "startsWith": "_starts", "endsWith": "_ends", "contains": "_contains", "matches": "_matches",
    "getHours": "_hours", "getMinutes": "_minutes", "getDayOfWeek": "_weekday",
    "addOpen": "_add_open", "addBusinessDays": "_add_days",
}  # fmt: skip
_OPERATIONS = {"+": "_add", "-": "_sub", "*": "_mul", "/": "_div", "%": "_mod"}


def true_code(expression: Expression, read: Read) -> ast.expr:
    """Code that is truthy when the expression is true, and falsy when it is false or unknown.

    Takes: the resolved expression; `read`, which gives code for a field's value (None when missing or null)
    """
    return _Compiler(read).truth(expression, True)


def false_code(expression: Expression, read: Read) -> ast.expr:
    """Code that is truthy when the expression is false, and falsy when it is true or unknown."""
    return _Compiler(read).truth(expression, False)


def value_code(expression: Expression, read: Read) -> ast.expr:
    """Code for the expression's value, None when it is unknown."""
    return _Compiler(read).value(expression)


def build_function(
    name: str, parameters: Sequence[str], body: ast.expr, namespace: Mapping[str, object]
) -> Callable[..., Any]:
    """Make a Python function that returns `body`.

    Takes: the namespace with everything the body names, `Runtime.namespace()` among it
    """
    function = ast.FunctionDef(
        name=name,
        args=ast.arguments(
            posonlyargs=[], args=[ast.arg(arg=word) for word in parameters], kwonlyargs=[], kw_defaults=[], defaults=[]
        ),
        body=[ast.Return(value=body)],
        decorator_list=[],
    )
    module = ast.fix_missing_locations(ast.Module(body=[function], type_ignores=[]))
    compiled = compile(module, f"<{name}>", "exec")
    code = next(constant for constant in compiled.co_consts if isinstance(constant, CodeType))
    return FunctionType(code, {"__builtins__": {}, **namespace}, name)


def call_code(function: str, *arguments: ast.expr) -> ast.expr:
    """Code that calls a name of the namespace."""
    return ast.Call(func=ast.Name(id=function, ctx=ast.Load()), args=list(arguments), keywords=[])


def constant_code(value: Any) -> ast.expr:
    """Code for a constant."""
    return ast.Constant(value=value)


def _is(left: ast.expr, value: bool | None) -> ast.expr:
    return ast.Compare(left=left, ops=[ast.Is()], comparators=[constant_code(value)])


class _Compiler:
    """One walk over one expression; `depth` numbers the variables of nested `exists` and `all`."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.variables: dict[str, str] = {}
        self.count = 0

    # ---- conditions

    def truth(self, node: Expression, wanted: bool) -> ast.expr:
        if isinstance(node, Unary) and node.operator == "!":
            return self.truth(node.operand, not wanted)
        if isinstance(node, Binary) and node.operator in ("&&", "||"):
            operator: ast.boolop = ast.And() if (node.operator == "&&") == wanted else ast.Or()
            return ast.BoolOp(op=operator, values=[self.truth(node.left, wanted), self.truth(node.right, wanted)])
        if isinstance(node, (Literal, ListOf)):
            return constant_code(isinstance(node, Literal) and node.value is wanted)
        if isinstance(node, Has) and isinstance(node.target, FieldRef):
            operator_: ast.cmpop = ast.IsNot() if wanted else ast.Is()
            return ast.Compare(left=self.field(node.target), ops=[operator_], comparators=[constant_code(None)])
        if isinstance(node, Binary):
            inline = self.inline(node, wanted)
            if inline is not None:
                return inline
        return _is(self.value(node), wanted)

    def inline(self, node: Binary, wanted: bool) -> ast.expr | None:
        """One comparison with no call, where no value of another kind can be mistaken for an equal one."""
        if node.operator in ("==", "!="):
            field, literal = node.left, node.right
            if isinstance(field, Literal):
                field, literal = literal, field
            if isinstance(field, (Literal, ListOf)) or not isinstance(literal, Literal):
                return None
            if is_timed(kind_of(field)) or is_timed(literal.kind):
                return None
            return self.compared(field, literal.value, (node.operator == "==") == wanted)
        if node.operator == "in" and isinstance(node.right, ListOf) and not is_timed(kind_of(node.left)):
            words = [item.value for item in node.right.items if isinstance(item, Literal)]
            if len(words) == len(node.right.items) <= _INLINE_WORDS and all(isinstance(word, str) for word in words):
                values = tuple(words) if wanted else (None, *words)
                operator: ast.cmpop = ast.In() if wanted else ast.NotIn()
                return ast.Compare(left=self.value(node.left), ops=[operator], comparators=[constant_code(values)])
        return None

    def compared(self, field: Expression, value: Any, wanted: bool) -> ast.expr | None:
        if wanted and isinstance(value, bool):
            return _is(self.value(field), value)
        if not _is_plain(value):
            return None
        if wanted:
            return ast.Compare(left=self.value(field), ops=[ast.Eq()], comparators=[constant_code(value)])
        return ast.Compare(left=self.value(field), ops=[ast.NotIn()], comparators=[constant_code((None, value))])

    # ---- values

    def value(self, node: Expression) -> ast.expr:
        if isinstance(node, Literal):
            return constant_code(node.value)
        if isinstance(node, FieldRef):
            return self.field(node)
        if isinstance(node, ListOf):
            return self.list_of(node)
        if isinstance(node, Has):
            return self.truth(node, True)
        if isinstance(node, Unary):
            return self.unary(node)
        if isinstance(node, Binary):
            return self.binary(node)
        if isinstance(node, Call):
            return self.call(node)
        if isinstance(node, Quantifier):
            return self.quantifier(node)
        raise TypeError("only a resolved expression can be compiled: call resolve() first")

    def field(self, node: FieldRef) -> ast.expr:
        if node.step is None or not node.step.startswith("$"):
            return self.read(node)
        variable: ast.expr = ast.Name(id=self.variables[node.step], ctx=ast.Load())
        if node.path:
            variable = call_code("_dig", variable, constant_code(node.path))
        return call_code("_as_time", variable) if node.kind == "timestamp" and node.path else variable

    def list_of(self, node: ListOf) -> ast.expr:
        if all(isinstance(item, Literal) for item in node.items):
            return constant_code(tuple(item.value for item in node.items if isinstance(item, Literal)))
        return ast.Tuple(elts=[self.value(item) for item in node.items], ctx=ast.Load())

    def unary(self, node: Unary) -> ast.expr:
        value = self.value(node.operand)
        if node.operator == "!":
            return call_code("_not", value)
        if kind_of(node.operand) == "timestamp":
            return call_code("_mismatch", value)
        return call_code("_negative", value)

    def binary(self, node: Binary) -> ast.expr:
        if node.operator == "in":
            return self.membership(node)
        left, right = self.value(node.left), self.value(node.right)
        kinds = kind_of(node.left), kind_of(node.right)
        if node.operator in ("&&", "||"):
            return call_code("_both" if node.operator == "&&" else "_either", left, right)
        if node.operator in ("==", "!="):
            timed = is_timed(kinds[0]) or is_timed(kinds[1])
            equal = call_code("_known" if timed and not may_equal(*kinds) else "_equal", left, right)
            return equal if node.operator == "==" else call_code("_not", equal)
        if node.operator in ARITHMETIC:
            return self.arithmetic(node, left, right)
        timed = is_timed(kinds[0]) or is_timed(kinds[1])
        if timed and not may_order(*kinds):
            return call_code("_mismatch", left, right)
        if node.operator in (">", ">="):
            left, right = right, left
        return call_code("_less" if node.operator in ("<", ">") else "_less_or_equal", left, right)

    def arithmetic(self, node: Binary, left: ast.expr, right: ast.expr) -> ast.expr:
        kinds = kind_of(node.left), kind_of(node.right)
        result = arithmetic_kind(node.operator, *kinds)
        if result is None and (is_timed(kinds[0]) or is_timed(kinds[1])):
            return call_code("_mismatch", left, right)
        if result == "timestamp":
            if node.operator == "-":
                right = call_code("_negative", right)
            return call_code("_shift", left, right)
        extra = [constant_code("double" not in kinds)] if node.operator in ("/", "%") else []
        return call_code(_OPERATIONS[node.operator], left, right, *extra)

    def membership(self, node: Binary) -> ast.expr:
        left, right = self.value(node.left), self.value(node.right)
        kind, inner = kind_of(node.left), element_kind(node.right)
        if is_timed(kind_of(node.right)):
            return call_code("_mismatch", left, right)
        if (is_timed(kind) or is_timed(inner)) and kind != inner:
            return call_code("_in_other", left, right)
        if isinstance(node.right, ListOf) and len(node.right.items) > _INLINE_WORDS:
            words = [item.value for item in node.right.items if isinstance(item, Literal)]
            if len(words) == len(node.right.items) and all(isinstance(word, str) for word in words):
                return call_code("_in_words", left, constant_code(frozenset(words)))
        return call_code("_in", left, right)

    def call(self, node: Call) -> ast.expr:
        values = [self.value(argument) for argument in node.arguments]
        for argument, wanted in zip(node.arguments, ARGUMENTS[node.function], strict=False):
            kind = kind_of(argument)
            never = not may_be(kind, wanted)
            if never and (is_timed(kind) or any(is_timed(each) for each in wanted)):
                return call_code("_mismatch", *values)
        return call_code(_CALLS[node.function], *values)

    def quantifier(self, node: Quantifier) -> ast.expr:
        collection = self.value(node.collection)
        if is_timed(kind_of(node.collection)):
            return call_code("_mismatch", collection)
        name, step = f"_item{self.count}", f"${node.variable}"
        self.count += 1
        outer = self.variables.get(step)
        self.variables[step] = name
        body = self.value(node.body)
        if outer is None:
            del self.variables[step]
        else:
            self.variables[step] = outer
        arguments = ast.arguments(posonlyargs=[], args=[ast.arg(arg=name)], kwonlyargs=[], kw_defaults=[], defaults=[])
        condition = ast.Lambda(args=arguments, body=body)
        return call_code("_exists" if node.kind == "exists" else "_all", collection, condition)


def _is_plain(value: Any) -> bool:
    """Whether `==` in Python can take no value of another kind for this one: True == 1 and False == 0 are the trap."""
    return isinstance(value, str) or (
        isinstance(value, (int, float)) and not isinstance(value, bool) and value not in (0, 1)
    )
