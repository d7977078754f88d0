"""Functions from syntax trees: statements in, a callable out; never by way of source text.

Both generated parts of the rules, conditions and projections, are made here.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def function_of(
    name: str, parameters: Sequence[str], body: Sequence[ast.stmt], namespace: Mapping[str, object]
) -> Callable[..., Any]:
    """A function with these parameters and this body.

    Takes: `namespace`, every name that the body reads besides its own; builtins are not among them
    """
    definition = ast.FunctionDef(
        name=name,
        args=ast.arguments(
            posonlyargs=[],
            args=[ast.arg(arg=parameter) for parameter in parameters],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[],
        ),
        body=list(body),
        decorator_list=[],
    )
    module = ast.fix_missing_locations(ast.Module(body=[definition], type_ignores=[]))
    scope: dict[str, Any] = {"__builtins__": {}, "str": str, **namespace}
    exec(compile(module, f"<rule:{name}>", "exec"), scope)  # noqa: S102 - a tree made by us, not text
    function: Callable[..., Any] = scope[name]
    return function
