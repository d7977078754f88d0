"""Expressions, naively (RULES 20 to 24): text enters, a tree leaves, and one walk of the tree gives a value or None, the unknown.

Nothing here is shared with `src`: the parser, the values and the logic are written a second time from RULES.md.

Decisions where RULES.md leaves a choice:
- ordering is defined for two numbers, two strings, two times or two durations; a boolean has no order;
- a field declared `number` is a double however its JSON was written; `/` and `%` of two integers cut towards zero, as
  in CEL; a mixed pair is computed in doubles; a result that is not finite or leaves 64 bits is unknown;
- `duration ± duration` is a duration, anything else that RULES 22 does not list is unknown;
- an operand of `&&`, `||`, `!` that is no boolean is unknown; `has(x)` is true for a value that is there and not null;
- a path that meets a list or a plain value is unknown; an expression that is a step's bare name is unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tests.reference.calendars import add_business_days, add_open

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ATTRIBUTES = ("time", "id", "source", "type", "observed_at", "customer")
BROADCAST = ("inventory.level.changed", "inventory.item.flagged", "outage.changed")
TIMESTAMPS = frozenset(
    (
        "due_at",
        "sla_due_at",
        "effective_at",
        "eta",
        "previous_eta",
        "promised_delivery",
        "expires",
        "new_time",
        "eta_restore",
    )
)
NUMBERS = frozenset(
    ("score", "confidence", "sentiment", "duration", "total", "amount", "available", "quantity", "price", "offer_price")
)
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
UNITS = {"ms": 1_000, "s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6, "d": 86_400 * 10**6, "w": 7 * 86_400 * 10**6}


@dataclass(frozen=True, order=True)
class Time:
    us: int


@dataclass(frozen=True, order=True)
class Span:
    us: int


@dataclass(frozen=True)
class Whole:
    """A step's event, before a dot reads one of its fields."""

    event: Mapping[str, Any]


@dataclass(frozen=True)
class Scope:
    """What the names of one expression mean: own event, earlier steps, list variables, and the shared file."""

    own: Mapping[str, Any]
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    shared: Mapping[str, Any] = field(default_factory=dict)


def duration(text: str) -> int:
    """Read `1d12h` as microseconds."""
    if not re.fullmatch(r"(?:[0-9]+(?:ms|s|m|h|d|w))+", text):
        raise ValueError(f"not a duration: {text}")
    return sum(int(n) * UNITS[unit] for n, unit in re.findall(r"([0-9]+)(ms|s|m|h|d|w)", text))


def instant(text: str) -> int:
    """Read RFC 3339 as microseconds; further digits are cut."""
    text = re.sub(r"(\.\d{6})\d+", r"\1", text.upper().replace("Z", "+00:00"))
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


# ---------------------------------------------------------------- text to tree

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.\d+(?:[eE][+-]?\d+)?|\d+)|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>\|\||&&|==|!=|<=|>=|[-<>!+*/%().,\[\]]))"""
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
LEVELS = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))


class Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found:
                raise ValueError(f"cannot read {text[at:]!r}")
            at = found.end()
            self.tokens.append((str(found.lastgroup), found.group(str(found.lastgroup))))
        self.at = 0

    def peek(self) -> str:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")
        return text if kind in ("sign", "name") else ""

    def take(self, sign: str) -> bool:
        if self.peek() != sign:
            return False
        self.at += 1
        return True

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise ValueError(f"expected {sign!r}")

    def binary(self, level: int = 0) -> Any:
        if level == len(LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while (sign := self.peek()) in LEVELS[level] and sign:
            self.at += 1
            left = ("binary", sign, left, self.binary(level + 1))
        return left

    def unary(self) -> Any:
        if self.take("!"):
            return ("not", self.unary())
        if self.take("-"):
            return ("binary", "-", ("value", 0), self.unary())
        tree = self.primary()
        while self.take("."):
            name = self.name()
            tree = ("method", tree, name, self.many(")")) if self.take("(") else ("dot", tree, name)
        return tree

    def many(self, end: str) -> list[Any]:
        out: list[Any] = []
        while not self.take(end):
            if out:
                self.need(",")
            out.append(self.binary())
        return out

    def name(self) -> str:
        kind, text = self.tokens[self.at]
        if kind != "name":
            raise ValueError(f"expected a name, not {text!r}")
        self.at += 1
        return text

    def primary(self) -> Any:
        if self.take("("):
            tree = self.binary()
            self.need(")")
            return tree
        if self.take("["):
            return ("list", self.many("]"))
        kind, text = self.tokens[self.at]
        if kind == "name":
            self.at += 1
            if text in ("true", "false", "null"):
                return ("value", {"true": True, "false": False, "null": None}[text])
            return ("call", text, self.many(")")) if self.take("(") else ("name", text)
        self.at += 1
        if kind == "number":
            return ("value", float(text) if "." in text else int(text))
        if kind == "string":
            return ("value", re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), text[1:-1]))
        raise ValueError(f"unexpected {text!r}")


@lru_cache(maxsize=4096)
def tree(text: str) -> Any:
    """Parse an expression."""
    reader = Reader(text)
    out = reader.binary()
    if reader.at != len(reader.tokens):
        raise ValueError(f"text after the end of {text!r}")
    return out


# ---------------------------------------------------------------- tree to value

KINDS = (
    (bool, "boolean"),
    ((int, float), "number"),
    (str, "string"),
    (Time, "time"),
    (Span, "duration"),
    (list, "list"),
    (dict, "object"),
)


def kind(value: Any) -> str:
    return next((name for types, name in KINDS if isinstance(value, types)), "none")


def attribute(event: Mapping[str, Any], name: str) -> Any:
    """One field or attribute of an event; None is missing."""
    if name in ("time", "observed_at"):
        return Time(event[name])
    if name in ATTRIBUTES:
        if name == "customer":
            return None if event["type"] in BROADCAST else event["subject"]
        return event[name]
    return declared(name, event["data"].get(name))


def declared(name: str, value: Any) -> Any:
    """A value as its field is declared: a time as a time, a number as a double."""
    if name in TIMESTAMPS:
        return Time(instant(value)) if isinstance(value, str) and RFC_3339.fullmatch(value) else None
    return float(value) if name in NUMBERS and kind(value) == "number" else value


def truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def some(values: Sequence[bool | None]) -> bool | None:
    """Kleene or."""
    return True if True in values else None if None in values else False


def every(values: Sequence[bool | None]) -> bool | None:
    """Kleene and."""
    return False if False in values else None if None in values else True


def equal(a: Any, b: Any) -> bool | None:
    if a is None or b is None:
        return None
    if kind(a) != kind(b):
        return False
    if isinstance(a, list):
        return every([equal(x, y) for x, y in zip(a, b, strict=True)]) if len(a) == len(b) else False
    return bool(a == b)


def contained(x: Any, items: Any) -> bool | None:
    if not isinstance(items, list) or x is None:
        return None
    return some([equal(x, item) for item in items])


def number(result: float) -> float | None:
    if isinstance(result, int):
        return result if -(2**63) <= result < 2**63 else None
    return result if math.isfinite(result) else None


def divide(a: float, b: float, sign: str) -> float | None:
    if b == 0:
        return None
    if isinstance(a, int) and isinstance(b, int):
        whole = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return number(whole if sign == "/" else a - whole * b)
    return number(a / b if sign == "/" else math.fmod(a, b))


def arithmetic(sign: str, a: Any, b: Any) -> Any:
    kinds = (kind(a), sign, kind(b))
    if kinds[0] == kinds[2] == "number":
        if sign in "/%":
            return divide(a, b, sign)
        try:
            return number(a + b if sign == "+" else a - b if sign == "-" else a * b)
        except OverflowError:
            return None
    if kinds == ("string", "+", "string"):
        return a + b
    if sign not in "+-":
        return None
    step = (
        b.us
        if sign == "+" and kinds[2] in ("time", "duration")
        else -b.us
        if kinds[2] in ("time", "duration")
        else None
    )
    if kinds[0] == "time" and kinds[2] == "duration":
        return Time(a.us + step)
    if kinds[0] == kinds[2] == "duration":
        return Span(a.us + step)
    if kinds == ("duration", "+", "time"):
        return Time(a.us + b.us)
    if kinds == ("time", "-", "time"):
        return Span(a.us - b.us)
    return None


def compare(sign: str, a: Any, b: Any) -> bool | None:
    if kind(a) != kind(b) or kind(a) not in ("number", "string", "time", "duration"):
        return None
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign])


def binary(sign: str, left: Any, right: Any, scope: Scope) -> Any:
    a, b = value(left, scope), value(right, scope)
    if sign == "||":
        return some([truth(a), truth(b)])
    if sign == "&&":
        return every([truth(a), truth(b)])
    if sign == "==":
        return equal(a, b)
    if sign == "!=":
        same = equal(a, b)
        return None if same is None else not same
    if sign == "in":
        return contained(a, b)
    if a is None or b is None:
        return None
    return compare(sign, a, b) if sign in ("<", "<=", ">", ">=") else arithmetic(sign, a, b)


def name(word: str, scope: Scope) -> Any:
    """RULES 20: own field, then attribute, then step, then list, then macro."""
    if word in scope.variables:
        return scope.variables[word]
    own = attribute(scope.own, word)
    if own is not None:
        return own
    if word in scope.steps:
        return Whole(scope.steps[word])
    if word in scope.shared.get("lists", {}):
        return scope.shared["lists"][word]
    if word in scope.shared.get("macros", {}):
        return value(tree(scope.shared["macros"][word]), scope)
    return None


def clock_part(moment: Any, method: str, zone: Any) -> int | None:
    if not isinstance(moment, Time) or not isinstance(zone, str):
        return None
    try:
        local = (EPOCH + timedelta(microseconds=moment.us)).astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return {"getHours": local.hour, "getMinutes": local.minute, "getDayOfWeek": local.isoweekday() % 7}[method]


def method(subject: Any, word: str, arguments: list[Any], scope: Scope) -> Any:
    target = value(subject, scope)
    if word in ("exists", "all"):
        if not isinstance(target, list):
            return None
        variable = arguments[0][1]
        answers = [
            truth(value(arguments[1], replace(scope, variables={**scope.variables, variable: element})))
            for element in target
        ]
        return some(answers) if word == "exists" else every(answers)
    values = [value(argument, scope) for argument in arguments]
    if word == "size":
        return len(target) if isinstance(target, (str, list)) else None
    if word in ("getHours", "getMinutes", "getDayOfWeek"):
        return clock_part(target, word, values[0] if values else "UTC")
    if not isinstance(target, str) or not isinstance(values[0], str):
        return None
    if word == "matches":
        return re.search(values[0], target) is not None
    return {"startsWith": target.startswith, "endsWith": target.endswith, "contains": target.__contains__}[word](
        values[0]
    )


def call(word: str, arguments: list[Any], scope: Scope) -> Any:
    values = [value(argument, scope) for argument in arguments]
    if word == "has":
        return values[0] is not None
    if word == "duration":
        return Span(duration(values[0]))
    if word == "size":
        return len(values[0]) if isinstance(values[0], (str, list)) else None
    start, amount, calendar = values
    if not isinstance(start, Time):
        return None
    rules = scope.shared["calendars"][calendar]
    if word == "addOpen" and isinstance(amount, Span):
        return Time(add_open(start.us, amount.us, rules))
    if word == "addBusinessDays" and kind(amount) == "number":
        return Time(add_business_days(start.us, int(amount), rules))
    return None


def value(node: Any, scope: Scope) -> Any:
    """Walk the tree; None is the unknown."""
    match node:
        case ("value", constant):
            return constant
        case ("list", items):
            return [value(item, scope) for item in items]
        case ("name", word):
            return name(word, scope)
        case ("dot", inner, word):
            target = value(inner, scope)
            if isinstance(target, Whole):
                return attribute(target.event, word)
            return declared(word, target.get(word)) if isinstance(target, dict) else None
        case ("not", inner):
            answer = truth(value(inner, scope))
            return None if answer is None else not answer
        case ("binary", sign, left, right):
            return binary(sign, left, right, scope)
        case ("method", subject, word, arguments):
            return method(subject, word, arguments, scope)
        case ("call", word, arguments):
            return call(word, arguments, scope)
    raise AssertionError(node)


def evaluate(text: str, scope: Scope) -> Any:
    """The value of an expression, None when unknown."""
    return value(tree(text), scope)


def holds(text: str | None, scope: Scope) -> bool:
    """A `where` holds only if it is true (RULES 21)."""
    return text is None or evaluate(text, scope) is True
