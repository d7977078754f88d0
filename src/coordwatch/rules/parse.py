"""Rule files: text in, rules out, or every problem of the file at once, each with its place and the next move.

What enters: the text of a file and the words that rules share. What leaves: `RuleSpec`s whose expressions are looked up.
The next room: `lint` asks whether a rule is wise, `compile` makes it run.
"""

import re
from datetime import date

from coordwatch.documents import Fields, Items, Node, Scalar, read_documents
from coordwatch.errors import DocumentError, Place, RuleError
from coordwatch.events.times import DAY
from coordwatch.rules.expression import Expression
from coordwatch.rules.parse_examples import read_examples
from coordwatch.rules.parse_nodes import Reader
from coordwatch.rules.parse_shared import parse_shared
from coordwatch.rules.parse_steps import StepReader
from coordwatch.rules.resolve import resolve
from coordwatch.rules.spec import (
    Act,
    AlertSpec,
    ExceptionSpec,
    RuleSpec,
    RuleStatus,
    Severity,
    SharedSpec,
)

__all__ = ["RULE", "parse_rules", "parse_shared"]

RULE = (
    "id", "title", "status", "severity", "owner", "tags", "why", "when", "after", "while", "given", "unless", "expect",
    "exceptions", "alert", "runbook", "references", "false_positives", "tests",
)  # fmt: skip
REQUIRED = ("id", "title", "severity", "owner", "why", "when")
ALERT = ("once_per", "quiet", "say")
EXCEPTION = ("name", "where", "reason", "owner", "until")
SECTIONS = ("when", "after", "while", "given", "unless", "expect")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ID_HINT = "letters, digits and dashes, such as promo-during-open-complaint"
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def parse_rules(text: str, path: str, shared: SharedSpec | None = None) -> list[RuleSpec]:
    """Read every rule of a file, one a YAML document.

    Takes:  the text, the path that problems name, and the shared lists, macros and calendars
    Raises: RuleError with every problem of the file, in the order of its lines
    """
    try:
        documents = read_documents(text, path)
    except DocumentError as error:
        raise RuleError(error.problems) from None
    reader = Reader(text, path)
    empty = [isinstance(document, Scalar) and document.value is None for document in documents]
    written = [document for document, nothing in zip(documents, empty, strict=True) if not nothing]
    specs = [_rule(reader, document, shared or SharedSpec()) for document in written]
    seen: dict[str, int] = {}
    for spec in specs:
        if spec is not None and spec.id and spec.id in seen:
            reader.problem(
                spec.place, f"two rules have the id '{spec.id}'", f"the first stands at line {seen[spec.id]}"
            )
        elif spec is not None:
            seen[spec.id] = spec.place.line
    if reader.problems:
        unique = dict.fromkeys(reader.problems)
        raise RuleError(sorted(unique, key=lambda problem: (problem.place.line, problem.place.column)))
    return [spec for spec in specs if spec is not None]


def _rule(reader: Reader, document: Node, shared: SharedSpec) -> RuleSpec | None:
    fields = reader.fields(document, "a rule")
    if fields is None:
        return None
    reader.known_words(fields, RULE, "a rule")
    reader.required(fields, REQUIRED, "a rule")
    rule_id = reader.text(fields, "id")
    if rule_id and not _ID.fullmatch(rule_id):
        reader.problem(fields.items["id"].place, f"'{rule_id[:60]}' cannot be an id", _ID_HINT)
    steps = StepReader(reader, shared, _step_names(fields))
    when = steps.when(fields.items["when"]) if "when" in fields.items else None
    after = tuple(steps.after(fields.items["after"])) if "after" in fields.items else ()
    states = tuple(steps.states(fields.items["while"])) if "while" in fields.items else ()
    given = tuple(steps.given(fields.items["given"])) if "given" in fields.items else ()
    expects = "expect" in fields.items
    unless = tuple(steps.unless(fields.items["unless"], expects=expects)) if "unless" in fields.items else ()
    expect = steps.expect(fields.items["expect"]) if expects else None
    evidence = [name for name, role in steps.names.roles.items() if role not in ("act", "unless")]
    return RuleSpec(
        id=rule_id,
        title=reader.text(fields, "title"),
        status=RuleStatus(reader.choice(fields, "status", [each.value for each in RuleStatus], "draft")),
        severity=Severity(reader.choice(fields, "severity", [each.value for each in Severity], "low")),
        owner=reader.text(fields, "owner"),
        why=reader.text(fields, "why"),
        when=when or Act("", (), fields.place),
        place=fields.place,
        after=after,
        while_=states,
        given=given,
        unless=unless,
        expect=expect,
        exceptions=_exceptions(reader, fields, steps),
        alert=_alert(reader, fields),
        tags=reader.texts(fields, "tags"),
        runbook=reader.text(fields, "runbook"),
        references=reader.texts(fields, "references"),
        false_positives=reader.texts(fields, "false_positives"),
        tests=read_examples(reader, fields.items["tests"], evidence) if "tests" in fields.items else (),
        shared=shared,
        places=_places(fields),
    )


def _places(fields: Fields) -> dict[str, Place]:
    """Where the words of a rule stand, those of `alert` under dotted names."""
    places = dict(fields.places)
    alert = fields.items.get("alert")
    if isinstance(alert, Fields):
        places |= {f"alert.{word}": place for word, place in alert.places.items()}
    return places


def _step_names(fields: Fields) -> list[str]:
    """Every step name of the rule, so that naming a later one can be told from a misspelling."""
    names: list[str] = []
    for section in SECTIONS:
        node = fields.items.get(section)
        if isinstance(node, Fields):
            names.extend(node.items)
    return names


def _alert(reader: Reader, fields: Fields) -> AlertSpec:
    node = fields.items.get("alert")
    alert = reader.fields(node, "'alert'") if node is not None else None
    if alert is None:
        return AlertSpec()
    reader.known_words(alert, ALERT, "'alert'")
    once_per = reader.texts(alert, "once_per") if "once_per" in alert.items else ("customer",)
    quiet = reader.duration(alert, "quiet", DAY)
    return AlertSpec(once_per, quiet, reader.text(alert, "say") or None)


def _exceptions(reader: Reader, fields: Fields, steps: StepReader) -> tuple[ExceptionSpec, ...]:
    node = fields.items.get("exceptions")
    if node is None:
        return ()
    found: list[ExceptionSpec] = []
    for item in node.items if isinstance(node, Items) else (node,):
        one = reader.fields(item, "an exception")
        if one is None:
            continue
        reader.known_words(one, EXCEPTION, "an exception")
        reader.required(one, EXCEPTION, "an exception")
        name = reader.text(one, "name")
        if name and any(name == other.name for other in found):
            reader.problem(one.items["name"].place, f"two exceptions are called '{name}'")
        where = _exception_where(reader, one, steps)
        if where is not None:
            until = _date(reader, one)
            found.append(
                ExceptionSpec(name, where, reader.text(one, "reason"), reader.text(one, "owner"), until, item.place)
            )
    return tuple(found)


def _exception_where(reader: Reader, one: Fields, steps: StepReader) -> Expression | None:
    raw = reader.expression(one, "where")
    if raw is None or steps.act is None or not steps.act.matches:
        return None
    return resolve(raw, steps.act_scope(bound=True))


def _date(reader: Reader, one: Fields) -> int:
    """The first instant of the day that `until` names. Units: microseconds since 1970 UTC."""
    text = reader.text(one, "until")
    try:
        return (date.fromisoformat(text).toordinal() - _EPOCH_DAY) * DAY if text else 0
    except ValueError:
        reader.problem(one.items["until"].place, f"'{text[:40]}' is no day", "write 2026-12-31")
        return 0
