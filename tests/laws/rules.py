"""Random valid rules over the alphabet: every step kind, with grace, linger, since, counting, facts, absence, exceptions.

Enters: chance (Hypothesis). Leaves: rule documents as the plain data of their YAML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.laws.alphabet import FACTS, JOURNAL, KINDS
from tests.reference.evaluator import same

WIDTHS = ("10m", "20m", "30m", "40m", "1h")
SHORT = ("10m", "20m")
OPEN = {"open": "20m", "calendar": "desk"}
SHARED: dict[str, Any] = {
    "lists": {"closed_states": ["solved", "closed"]},
    "macros": {"is_over": "status in closed_states", "is_promo": 'category == "promotional"'},
    "calendars": {
        "desk": {
            "zone": "Europe/Paris",
            "weekly": {"sun": ["00:00-24:00"], "mon": ["00:50-01:20", "01:40-02:00"], "tue": ["09:00-17:00"]},
            "holidays": ["2026-03-04"],
        }
    },
}
THEMES = (
    ("marketing.message.sent", "service.case.opened", "service.case.status_changed"),
    ("marketing.message.sent", "commerce.order.changed", "fulfilment.return.changed"),
    ("agent.detail.requested", "bot.detail.captured"),
    ("bot.message.sent", "bot.detail.captured"),
    ("marketing.message.sent",),
    ("service.commitment.made", "commerce.order.changed"),
    ("inventory.level.changed", "marketing.message.sent"),
)
REFS = ("order", "case", "conversation", "commitment", "item")
SHAPES = ((), ("single",), ("single",), ("single", "single"), ("many",), ("single", "many"), ("state",), ("state",), ("state",),
          ("state", "single"), ("state", "many"), ("fact",), ("fact",), ("fact", "single"), ("fact", "state"))  # fmt: skip
FOCUS: dict[str, tuple[tuple[str, ...], ...]] = {
    "anything": SHAPES,
    "absence": ((), ("single",), ("state",), ("many",)),
    "cancelled": ((), ("single",), ("many",), ("state",)),
    "counts": (("many",), ("single", "many")),
    "facts": (("fact",), ("fact",), ("fact", "state"), ("fact", "single")),
    "keys": (("single",), ("single", "single"), ("state",), ("fact",)),
    "sequences": (("single",), ("single", "single")),
    "states": (("state",), ("state",), ("state", "single")),
}
ATTRIBUTES = (
    'customer == "C1"', 'customer != "C1"', 'source == "crm"', 'id != "e0"', 'observed_at - time > duration("5m")',
    "observed_at == time", 'time > observed_at || has(customer)', 'type.startsWith("service")',
    'time.getHours("Europe/Paris") == 0', "time.getMinutes() < 30",
)  # fmt: skip
MACROS = {"service.case.status_changed": ("is_over", "!is_over", "status in closed_states"),
          "marketing.message.sent": ("is_promo", "is_promo && has(items)")}  # fmt: skip


@dataclass(frozen=True)
class Pool:
    """What one rule draws from: its types, its keys, and the steps named so far (name to possible types)."""

    types: tuple[str, ...]
    keys: tuple[str, ...]
    named: dict[str, tuple[str, ...]]
    always: bool = False  # every step ties every key

    def naming(self, name: str, types: Sequence[str]) -> Pool:
        return Pool(self.types, self.keys, {**self.named, name: tuple(types)}, self.always)


def maybe(draw: st.DrawFn, chance: int) -> bool:
    """True once in `chance`; shrinks to false."""
    return draw(st.integers(0, chance - 1)) == chance - 1


@st.composite
def condition(draw: st.DrawFn, type_: str, pool: Pool) -> str:
    """One typed expression over the fields of a type and the steps named so far."""
    choices = [*KINDS[type_].tests, *MACROS.get(type_, ()), *(ATTRIBUTES if maybe(draw, 4) else ())]
    for name, types in pool.named.items():
        choices += [
            f"{name}.time <= time",
            f"time <= {name}.time",
            f'time - {name}.time <= duration("20m")',
            f"{name}.source != source",
            f"has({name}.order)",
            f"{name}.customer == customer",
            f"{name}.observed_at <= observed_at",
            f"!({name}.id == id)",
        ]
        for field in KINDS[type_].fields:
            if field in ("kind", "status", "field", "channel", "severity") and all(
                field in KINDS[t].fields for t in types
            ):
                choices += [f"{field} == {name}.{field}", f"{field} != {name}.{field}"]
    first: str = draw(st.sampled_from(choices))
    if maybe(draw, 5):
        second = draw(st.sampled_from(choices))
        first = f"({first}) {draw(st.sampled_from(('&&', '||')))} ({second})"
    return f"!({first})" if maybe(draw, 10) else first


@st.composite
def match(draw: st.DrawFn, types: Sequence[str], pool: Pool, tied: bool = True) -> dict[str, Any]:
    """`event`, perhaps `where` and `same`; with `tied` false no keys."""
    type_ = draw(st.sampled_from(types))
    found: dict[str, Any] = {"event": type_}
    if maybe(draw, 3):
        found["where"] = draw(condition(type_, pool))
    keys = {key: KINDS[type_].keys.get(key, key) for key in pool.keys if tied and (pool.always or maybe(draw, 2))}
    if keys:
        found["same"] = draw(written(keys))
    return found


@st.composite
def written(draw: st.DrawFn, keys: dict[str, str]) -> Any:
    """The three forms of `same`: a name, a map, a list of both."""
    items: list[Any] = [key if key == path else {key: path} for key, path in keys.items()]
    if len(keys) == 1:
        return draw(st.sampled_from((items[0], items)))
    return draw(st.sampled_from((dict(keys), items)))


@st.composite
def matches(draw: st.DrawFn, types: Sequence[str], pool: Pool, tied: bool = True) -> dict[str, Any]:
    """One match in place, or `any` of two."""
    if maybe(draw, 7):
        return {"any": [draw(match(types, pool, tied)), draw(match(types, pool, tied))]}
    return draw(match(types, pool, tied))


def types_of(step: dict[str, Any]) -> tuple[str, ...]:
    return tuple(one["event"] for one in step.get("any", [step]))


@st.composite
def after(draw: st.DrawFn, pool: Pool, singles: Sequence[str], counting: bool) -> dict[str, Any]:
    step = draw(matches(pool.types, pool))
    step["within"] = draw(st.sampled_from((*WIDTHS, "forever", OPEN)))
    if maybe(draw, 3):
        step["grace"] = draw(st.sampled_from(SHORT))
    if singles and maybe(draw, 2):
        step["since"] = draw(st.sampled_from(singles))
    if counting:
        step["at_least"] = draw(st.sampled_from((1, 2, 2, 3)))
        if maybe(draw, 2):
            step["distinct"] = draw(st.sampled_from(["order", "case", "conversation", "items.sku"]))
    return step


@st.composite
def state(draw: st.DrawFn, pool: Pool, name: str, cancels: bool) -> dict[str, Any]:
    opened = draw(matches(pool.types, pool))
    inner = pool.naming(name, types_of(opened))
    others = [one for one in pool.types if one not in types_of(opened)] or pool.types
    closed = draw(match(others, inner, tied=False)) if maybe(draw, 2) else draw(matches(pool.types, inner, tied=False))
    if "event" in closed and closed["event"] in types_of(opened) and "where" not in closed:
        closed["where"] = draw(condition(closed["event"], inner))  # what opens and closes at once is rarely felt
    step: dict[str, Any] = {"opened": opened, "closed": closed}
    if maybe(draw, 3):
        step["reopened"] = draw(matches(pool.types, inner, tied=False))
    pairing = [
        key for key in ("case", "order", "conversation") if key in KINDS[types_of(opened)[0]].keys and maybe(draw, 2)
    ]
    if pairing:
        step["same"] = pairing
    if maybe(draw, 3):
        step["linger"] = draw(st.sampled_from(WIDTHS))
    if maybe(draw, 3):
        step["at_most"] = draw(st.sampled_from((*WIDTHS, "forever")))
    if not cancels and maybe(draw, 3):
        step["grace"] = draw(st.sampled_from(SHORT))
    return step


@st.composite
def given_step(draw: st.DrawFn, pool: Pool) -> dict[str, Any]:
    types = FACTS if maybe(draw, 2) else pool.types
    type_ = draw(st.sampled_from(types))
    step: dict[str, Any] = {"event": type_}
    if not maybe(draw, 5):
        step["where"] = draw(st.one_of(st.sampled_from(KINDS[type_].tests), condition(type_, pool)))
    keys = {
        key: KINDS[type_].keys[key] for key in pool.keys if key in KINDS[type_].keys and (pool.always or maybe(draw, 2))
    }
    if keys:
        step["same"] = draw(written(keys))
    if maybe(draw, 2):
        step["per"] = draw(
            written({key: KINDS[type_].keys[key] for key in [draw(st.sampled_from(sorted(KINDS[type_].keys)))]})
        )
    if maybe(draw, 3):
        step["within"] = draw(st.sampled_from((*WIDTHS, OPEN)))
    if maybe(draw, 6):
        step["any"] = [{word: step.pop(word) for word in ("event", "where", "same") if word in step}]
        other = draw(st.sampled_from([one for one in types if set(same(step, "per")) <= set(KINDS[one].keys)]))
        step["any"].append({"event": other, "where": draw(st.sampled_from(KINDS[other].tests))})
    return step


@st.composite
def unless_step(draw: st.DrawFn, pool: Pool, since: Sequence[str]) -> dict[str, Any]:
    step = draw(matches(pool.types, pool))
    if since and maybe(draw, 2):
        step["since"] = draw(st.sampled_from(since))
    if "since" not in step or maybe(draw, 4):
        step["within"] = draw(st.sampled_from((*WIDTHS, OPEN)))
    return step


@st.composite
def expect_step(draw: st.DrawFn, pool: Pool) -> dict[str, Any]:
    step = draw(matches(pool.types, pool))
    ends = [
        'act1.time + duration("30m")',
        'addOpen(act1.time, duration("20m"), "desk")',
        'addBusinessDays(act1.time, 1, "desk")',
        'act1.observed_at + duration("10m")',
    ]
    if pool.named["act1"] == ("service.commitment.made",):
        ends += ["act1.due_at", 'act1.due_at + duration("10m")']
    if maybe(draw, 3):
        step["by"] = draw(st.sampled_from(ends))
    if "by" not in step or maybe(draw, 2):
        step["within"] = draw(st.sampled_from((*WIDTHS, "0m", OPEN)))
    if maybe(draw, 4):
        step["early"] = draw(st.sampled_from(SHORT))
    if maybe(draw, 2):
        step["repair"] = draw(st.sampled_from(WIDTHS))
    return step


@st.composite
def rules_of(draw: st.DrawFn, types: tuple[str, ...]) -> dict[str, Any]:
    """One rule over these types."""
    return draw(rule(draw(pools(types))))


@st.composite
def pools(draw: st.DrawFn, types: tuple[str, ...] = (), focus: str = "anything") -> Pool:
    if not types:
        few = st.lists(st.sampled_from(JOURNAL), min_size=1, max_size=3, unique=True).map(tuple)
        types = draw(st.one_of(st.sampled_from(THEMES), few))
    always = focus == "keys"
    everywhere = {key for key in ("field", "value", "turn") if all(key in KINDS[type_].keys for type_ in types)}
    common = sorted(
        key
        for key in {key for type_ in types for key in KINDS[type_].keys}
        if (key in REFS or key in everywhere) and (not always or all(key in KINDS[type_].keys for type_ in types))
    )
    keys = draw(st.lists(st.sampled_from(common), min_size=int(always), max_size=2, unique=True)) if common else []
    return Pool(types, tuple(keys), {}, always)


@st.composite
def rule(draw: st.DrawFn, pool: Pool, number: int = 1, focus: str = "anything") -> dict[str, Any]:
    """One rule document; the focus says which steps it has, and `absence` and `cancelled` are always what they say."""
    act = draw(matches(pool.types, pool))
    pool = pool.naming("act1", types_of(act))
    found: dict[str, Any] = {
        "id": f"rule-{number}", "title": "A generated rule", "status": draw(st.sampled_from(("live", "draft", "shadow"))),
        "severity": "low", "owner": "nobody", "why": "generated", "when": {"act1": act},
    }  # fmt: skip
    absence = focus == "absence" or maybe(draw, 4)
    singles: list[str] = []
    since = ["act1"] if absence else []
    shape = draw(st.sampled_from(FOCUS[focus]))
    for name in ("first", "second")[: shape.count("single")]:
        found.setdefault("after", {})[name] = step = draw(after(pool, singles, counting=False))
        pool = pool.naming(name, types_of(step))
        singles.append(name)
    if "many" in shape:
        found.setdefault("after", {})["many"] = draw(after(pool, singles, counting=True))
        since.append("many")
    if "state" in shape:
        found["while"] = {"mood": draw(state(pool, "mood", cancels=False))}
        begun = types_of(found["while"]["mood"]["opened"]) + types_of(
            found["while"]["mood"].get("reopened", {"any": []})
        )
        pool = pool.naming("mood", begun)
        since.append("mood")
    if "fact" in shape:
        found["given"] = {"fact": draw(given_step(pool))}
    if focus == "cancelled" or maybe(draw, 4):
        found.setdefault("unless", {})["stop"] = draw(unless_step(pool, [*since, *singles]))
    if maybe(draw, 5):
        found.setdefault("unless", {})["calm"] = draw(state(pool, "calm", cancels=True))
    if absence:
        found["expect"] = {"answer": draw(expect_step(pool))}
    if maybe(draw, 8):
        found["exceptions"] = [{
            "name": "known", "where": draw(condition(types_of(act)[0], pool)) if "any" not in act else "has(time)",
            "reason": "generated", "owner": "nobody", "until": draw(st.sampled_from(("2026-03-02", "2026-03-09"))),
        }]  # fmt: skip
    return found
