"""The laws of the way: everybody reaches somebody or hears why not, deterministically, and as Alertmanager would have it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from coordwatch.alerts.matchers import parse_all
from coordwatch.events.times import HOUR, MINUTE, parse_time
from coordwatch.notify.decide import NotifyReason
from coordwatch.notify.hours import Hours, Span
from coordwatch.notify.route import Escalation, Receiver, Route, explain, routed, ways_of
from coordwatch.rules.calendars import zone_named
from tests.build import NOW

NAMES = ("pager", "leads", "desk")
RECEIVERS = st.sampled_from(
    [Receiver(one, (one,)) for one in NAMES] + [Receiver("inbox"), Receiver("both", ("pager", "leads"))]
)
OFFICE = Hours("office", (Span(zone_named("Europe/Berlin"), times=((540, 1080),), weekdays=((0, 4),)),))
NEVER = Hours("never", (Span(zone_named("UTC"), years=((1999, 1999),)),))
VALUES = {"severity": ["high", "low"], "owner": ["a", "b"], "tag": ["bank", "retail"]}
LABELS = st.fixed_dictionaries(
    {name: st.sets(st.sampled_from(values)).map(lambda one: tuple(sorted(one))) for name, values in VALUES.items()}
)
MATCHERS = st.lists(
    st.tuples(st.sampled_from(sorted(VALUES)), st.sampled_from(["=", "!=", "=~", "!~"]), st.integers(0, 1)), max_size=2
).map(lambda many: parse_all(f"{name}{operator}{VALUES[name][index]}" for name, operator, index in many))
HOURS = st.sampled_from([(), (), (OFFICE,), (NEVER,)])
STEPS = st.lists(RECEIVERS.filter(lambda one: one.channels), max_size=2).map(
    lambda found: tuple(Escalation((place + 1) * 10 * MINUTE, one) for place, one in enumerate(found))
)


def trees(depth: int) -> st.SearchStrategy[Route]:
    below = st.lists(trees(depth - 1), max_size=3).map(tuple) if depth else st.just(())
    return st.builds(
        Route, path=st.just(""), receiver=RECEIVERS, matchers=MATCHERS, goes_on=st.booleans(), active=HOURS, mute=HOURS,
        escalate=STEPS, routes=below,
    )  # fmt: skip


def named(route: Route, path: str = "route") -> Route:
    below = tuple(named(one, f"{path}.routes[{place}]") for place, one in enumerate(route.routes))
    root = {"matchers": (), "active": (), "mute": ()} if path == "route" else {}
    given = {name: getattr(route, name) for name in ("receiver", "matchers", "goes_on", "active", "mute", "escalate")}
    return Route(path=path, routes=below, **{**given, **root})


TREES = trees(2).map(named)
INSTANTS = st.integers(0, 10_080).map(lambda minute: NOW + minute * MINUTE)


@settings(max_examples=150)
@given(TREES, LABELS, INSTANTS)
def test_every_alert_reaches_somebody_or_hears_why_not(tree, labels, now):
    found = routed(tree, labels, now)
    assert found == routed(tree, labels, now)
    if found.hold is not None:
        assert found.hold.reason is NotifyReason.OUTSIDE_HOURS
        assert found.hold.words.startswith("outside the hours of route")
        assert (found.to, found.steps) == (frozenset(), ())
        assert found.hold.until is None or found.hold.until > now
        if found.hold.until is not None:
            assert routed(tree, labels, found.hold.until).hold is None
        return
    assert found.to or "the inbox alone" in found.words
    open_now = {channel for way in ways_of(tree, labels) if _open(way, now) for channel in way.receiver.channels}
    assert found.to == open_now


def _open(way: Route, now: int) -> bool:
    return (not way.active or any(one.holds(now) for one in way.active)) and not any(one.holds(now) for one in way.mute)


@settings(max_examples=100)
@given(TREES, LABELS, INSTANTS)
def test_steps_have_names_of_their_own_come_later_and_reach_somebody(tree, labels, now):
    steps = routed(tree, labels, now).steps
    assert len({one.name for one in steps}) == len(steps)
    assert all(one.due > now and one.to and one.reason.tells for one in steps)
    assert list(steps) == sorted(steps, key=lambda one: (one.due, one.name))


@settings(max_examples=150)
@given(TREES, LABELS)
def test_the_way_is_the_one_that_alertmanager_takes(tree, labels):
    """Written again from the words of Alertmanager's documentation, without looking at the code."""

    def takes(route):
        return all(one.holds(labels) for one in route.matchers)

    def walk(route):
        rests = []
        for child in route.routes:
            if takes(child):
                rests.extend(walk(child))
                if not child.goes_on:
                    break
        return rests if rests else [route.path]

    assert [one.path for one in ways_of(tree, labels)] == walk(tree)


@settings(max_examples=100)
@given(TREES, LABELS, INSTANTS)
def test_what_is_explained_is_what_is_done(tree, labels, now):
    found = explain(tree, labels, now)
    assert found.routed == routed(tree, labels, now)
    assert [one.path for one in found.visits if one.is_end] == [one.path for one in ways_of(tree, labels)]
    assert all(one.words for one in found.visits)


def test_an_alert_that_waits_for_one_way_is_told_on_the_other_now_and_there_later():
    desk = Receiver("desk", ("desk",))
    tree = Route("route", desk, routes=(
        Route("route.routes[0]", Receiver("pager", ("pager",)), parse_all(["severity=high"]), goes_on=True),
        Route("route.routes[1]", Receiver("leads", ("leads",)), active=(OFFICE,), escalate=(Escalation(HOUR, desk),)),
    ))  # fmt: skip
    night = parse_time("2026-03-02T23:00:00Z")
    found = routed(tree, {"severity": ("high",)}, night)
    assert found.to == {"pager"}
    assert [(one.due, one.to, one.reason) for one in found.steps] == [
        (parse_time("2026-03-03T08:00:00Z"), ("leads",), NotifyReason.HOURS_BEGAN),
        (parse_time("2026-03-03T09:00:00Z"), ("desk",), NotifyReason.ESCALATED),
    ]
    held = routed(tree, {"severity": ("low",)}, night).hold
    assert held.until == parse_time("2026-03-03T08:00:00Z")
