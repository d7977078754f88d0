"""Every store keeps the same promises: in memory, on SQLite and on PostgreSQL."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from coordwatch.adapters.memory import MemoryStore
from coordwatch.adapters.paging import BadQuery
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.alert import ActionRefused, Order, VersionConflict
from coordwatch.alerts.card import RuleCard
from coordwatch.alerts.lifecycle import AlertAction
from coordwatch.alerts.verdict import Verdict
from coordwatch.audit.chain import check
from coordwatch.audit.deed import Deed, DeedKind
from coordwatch.audit.trail import Asked
from coordwatch.codec import decode_json
from coordwatch.engine.ledger import CountLine, Reach, ReachLine, TallyLine
from coordwatch.errors import TemporaryError
from coordwatch.events.times import DAY, HOUR
from coordwatch.ports import ALERT_SORTS, VIEWS_MOST, Books, Count, DeadLetter, Effects, SavedView
from coordwatch.rules.spec import RuleStatus
from tests.build import CARDS, NOW, PROMO, a_cancellation, a_promo, fill, raised, retracted


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def make(request, new_place):
    """Make stores of one kind; what is made is closed at the end."""
    made = []

    def one(cards: Mapping[str, RuleCard] = CARDS):
        if request.param == "memory":
            made.append(MemoryStore(cards))
        else:
            made.append(SqlStore(new_place(request.param), cards, durable=False))
        return made[-1]

    yield one
    for store in made:
        store.close()


@pytest.fixture
def store(make):
    return make()


def order(action: AlertAction, **more) -> Order:
    return Order(action, "ada@ops.test", more.pop("now", NOW), **more)


def ids(store, filters: Mapping[str, str] | None = None) -> list[str]:
    return [row.id for row in store.alerts(filters or {}, 1000, None)[0]]


def test_values_are_written_read_replaced_and_deleted(store):
    store.commit(Effects(values={"customer/a": b"1", "customer/b": b"2", "shared": b"3"}), NOW)
    store.commit(Effects(values={"customer/a": b"\x00\xff", "customer/b": None, "customer/none": None}), NOW)
    assert store.load(["customer/a", "customer/b", "nothing"]) == {"customer/a": b"\x00\xff"}
    assert store.load([]) == {}


def test_a_scan_gives_a_prefix_in_order_and_nothing_else(store):
    keys = [f"customer/{n:05d}" for n in range(2500)]
    other = {"customer": b"x", "customes": b"x", "a": b"x", "customer0": b"x"}
    store.commit(Effects(values={key: key.encode() for key in reversed(keys)} | other), NOW)
    assert list(store.scan("customer/")) == [(key, key.encode()) for key in keys]
    assert len(store.load(keys)) == 2500
    assert list(store.scan("zzz")) == []


def test_deadlines_are_due_earliest_first_and_up_to_the_instant(store):
    store.commit(Effects(deadlines={"late": NOW + 2, "b": NOW + 1, "a": NOW + 1, "first": NOW}), NOW)
    store.commit(Effects(deadlines={"first": None, "never": None}), NOW)
    assert store.due(NOW, 10) == []
    assert store.due(NOW + 1, 10) == ["a", "b"]
    assert store.due(NOW + 5, 2) == ["a", "b"]
    store.commit(Effects(deadlines={"late": NOW}), NOW)
    assert store.due(NOW + 5, 10) == ["late", "a", "b"]


def test_positions_are_the_last_and_tallies_are_sums(store):
    store.commit(Effects(positions={"file": "10"}, tallies={"in": 3, "applied": 2}), NOW)
    store.commit(Effects(positions={"file": "20", "other": "1"}, tallies={"in": 4}), NOW)
    assert store.positions() == {"file": "20", "other": "1"}
    assert store.tallies() == {"applied": 2, "in": 7}


def test_the_ledger_adds_up_by_rule_and_by_pair(store):
    def count(kind: str, amount: int, hour: int = 7, evidence: str = "Deskflow") -> Count:
        return Count("r", hour, "Journeys", evidence, kind, amount)

    store.commit(
        Effects(counts=[count("acts", 5), count("acts", 5), count("detections", 2), count("made_good", 1)]), NOW
    )
    more = [count("detections", -1), count("acts", 1, 8, ""), count("in_flight", 3), count("missing_key", 4)]
    store.commit(Effects(counts=[*more, count("retracted", 1)]), NOW)
    (rule,) = store.rule_counts()
    assert (rule.acts, rule.detections, rule.in_flight, rule.missing_key) == (11, 1, 3, 4)
    assert (rule.retracted, rule.made_good, rule.hours) == (1, 1, [(7, 10, 1), (8, 1, 0)])
    pairs = [(pair.act_tool, pair.evidence_tool, pair.acts, pair.detections) for pair in store.pair_counts()]
    assert pairs == [("Journeys", "", 11, 0), ("Journeys", "Deskflow", 11, 1)]


def test_the_books_of_a_worker_are_absolute_and_stand_beside_what_is_added_up(store):
    def line(part: str, kind: str, hour: int = 7, evidence: str = "") -> CountLine:
        return CountLine(part, "r", hour, "Journeys", evidence, kind)

    store.commit(Effects(counts=[Count("r", 7, "Journeys", "", "acts", 5)], tallies={"in": 5, "applied": 5}), NOW)
    books = Books(
        counts={line("0", "acts"): 3, line("1", "acts"): 4, line("1", "detections", 8, "Deskflow"): 1},
        tallies={TallyLine("ingest", "shop/0", "in"): 9, TallyLine("detect", "0", "in"): 2},
        reaches={ReachLine("shop", "shop/0"): Reach(1, 2, 3), ReachLine("shop", "shop/1"): Reach(4, 5, 6)},
        aliases={"old": "new", "older": "new", "other": "one"},
    )
    store.keep(books, NOW)
    store.keep(books, NOW)
    (rule,) = store.rule_counts()
    assert (rule.acts, rule.detections, rule.hours) == (12, 1, [(7, 12, 0), (8, 0, 1)])
    assert [(pair.evidence_tool, pair.acts, pair.detections) for pair in store.pair_counts()] == [
        ("", 12, 0),
        ("Deskflow", 12, 1),
    ]
    assert store.tallies()["in"] == 14
    assert store.reaches() == books.reaches
    assert (store.customer_now("old"), store.customer_now("new")) == ("new", "new")
    assert store.former_keys("new") == ["old", "older"]
    gone = Books(
        counts={line("0", "acts"): None},
        tallies={TallyLine("ingest", "shop/0", "in"): None},
        reaches={ReachLine("shop", "shop/1"): None, ReachLine("never", "there/0"): None},
        aliases={"old": None, "never": None},
    )
    store.keep(gone, NOW)
    assert store.rule_counts()[0].acts == 9
    assert store.tallies()["in"] == 5
    assert list(store.reaches()) == [ReachLine("shop", "shop/0")]
    assert store.former_keys("new") == ["older"]


def test_the_accounts_of_a_worker_say_what_is_under_way_between_its_stages(store):
    def counted(stage: str, **amounts: int) -> dict[TallyLine, int | None]:
        return {
            TallyLine(stage, place, name): amount
            for place in ("0", "1")
            for name, amount in amounts.items()
        }  # fmt: skip

    ingest = {"in": 20, "passed": 15, "facts": 1, "dropped": 3, "dropped.drop_if": 3, "dead_lettered": 2}
    taken = counted("ingest", **ingest)
    found = counted("identity", **{"in": 13, "passed": 9, "parked": 3, "dropped": 1})
    judged = counted("detect", **{"in": 8, "applied": 6, "duplicate": 2})
    store.keep(Books(tallies=taken | found | judged), NOW)
    accounts = store.tallies()
    assert accounts == {
        "in": 40, "applied": 14, "duplicate": 4, "dropped": 8, "dropped.drop_if": 6, "dead_lettered": 4, "parked": 6,
        "under_way": 2 * (15 - 1 - 13 + 9 - 8),
    }  # fmt: skip
    assert accounts["in"] == sum(accounts[name] for name in (*_RESULTS, "under_way"))


_RESULTS = ("applied", "duplicate", "dropped", "parked", "dead_lettered")


def test_books_are_kept_whole_and_only_by_who_read_last(make):
    store = make()
    found = raised(a_promo("c", NOW))
    letter = DeadLetter("d", "o", "s", "r", "", None, NOW, b"")
    store.keep(Books(changes=[found], dead_letters=[letter], positions={"t/0": (None, "7"), "t/1": (None, "1")}), NOW)
    assert store.positions() == {"t/0": "7", "t/1": "1"}
    assert len(ids(store)) == 1
    late = Books(
        changes=[retracted(found.detection)], tallies={TallyLine("s", "p", "n"): 1}, aliases={"a": "b"},
        positions={"t/1": ("1", "2"), "t/0": ("6", "8")},
    )  # fmt: skip
    with pytest.raises(TemporaryError, match="another process has read t/0 on"):
        store.keep(late, NOW)
    assert store.positions() == {"t/0": "7", "t/1": "1"}
    assert (store.customer_now("a"), "n" in store.tallies()) == ("a", False)
    assert ids(store, {"status": "open"}) == ids(store)
    late.positions["t/0"] = ("7", "8")
    store.keep(late, NOW)
    assert store.positions() == {"t/0": "8", "t/1": "2"}
    assert ids(store, {"status": "retracted"}) == ids(store)
    assert store.dead_letters(9) == [letter]


def test_dead_letters_keep_their_bytes_and_come_once(store):
    letters = [
        DeadLetter(f"d{n}", "http", "decode", "not_json", "?", None, NOW + n, b"\x00\xfe{" * n) for n in range(4)
    ]
    store.commit(Effects(dead_letters=letters), NOW)
    store.commit(Effects(dead_letters=letters[1:2]), NOW)
    assert store.dead_letters(3) == letters[:0:-1]


def test_a_commit_is_all_or_nothing(make):
    class Broken(dict[str, RuleCard]):
        def get(self, rule, default=None):
            if rule == "broken":
                raise LookupError(rule)
            return super().get(rule, default)

    store = make(Broken(CARDS))
    broken = replace(a_promo("c", NOW), rule="broken")
    effects = Effects(
        values={"k": b"v"}, deadlines={"c": NOW}, changes=[raised(a_promo("c", NOW)), raised(broken)],
        counts=[Count("r", 1, "a", "b", "acts", 1)], positions={"f": "1"}, tallies={"in": 1},
        dead_letters=[DeadLetter("d", "o", "s", "r", "", None, NOW, b"")],
    )  # fmt: skip
    with pytest.raises(LookupError):
        store.commit(effects, NOW)
    assert (store.load(["k"]), store.due(NOW, 9), store.positions(), store.tallies()) == ({}, [], {}, {})
    assert (ids(store), store.rule_counts(), store.dead_letters(9)) == ([], [], [])
    assert list(store.standing_detections()) == []


def test_both_stores_show_the_same_of_a_busy_day(place):
    here, there = MemoryStore(CARDS), SqlStore(place, CARDS, durable=False)
    for store in (here, there):
        fill(store)
    for sort in ALERT_SORTS:
        assert here.alerts({"sort": sort}, 100, None) == there.alerts({"sort": sort}, 100, None)
    for alert in ids(here):
        assert here.alert(alert) == there.alert(alert)
    assert here.customers(5) == there.customers(5)
    assert here.customer_alerts("customer-05") == there.customer_alerts("customer-05")
    assert here.alert_totals() == there.alert_totals()
    assert here.rule_counts() == there.rule_counts()
    assert here.pair_counts() == there.pair_counts()
    assert here.undecided(100) == there.undecided(100)
    assert list(here.standing_detections()) == list(there.standing_detections())
    there.close()


@pytest.mark.parametrize("sort", ALERT_SORTS)
def test_pages_of_a_list_lie_end_to_end(store, sort):
    fill(store)
    whole, nothing = store.alerts({"sort": sort}, 100, None)
    assert nothing is None
    cursor, pages = None, []
    while True:
        page, cursor = store.alerts({"sort": sort}, 5, cursor)
        pages.append(page)
        if cursor is None:
            break
    assert [row for page in pages for row in page] == whole
    assert len(whole) == 24


def test_filters_all_have_to_hold(store):
    fill(store)
    rows = store.alerts({}, 100, None)[0]

    def wanted(**filters: str) -> None:
        expected = {row.id for row in rows if all(passes(row, name, value) for name, value in filters.items())}
        assert expected
        assert set(ids(store, filters)) == expected

    def passes(row, name: str, value: str) -> bool:
        if name == "tool":
            return value in (row.act_tool, row.evidence_tool)
        if name == "since":
            return row.at >= int(value)
        if name == "q":
            return value.lower() in f"{row.sentence}\n{row.customer}\n{row.rule}".lower()
        return getattr(row, name) in value.split(",")

    wanted(status="open,snoozed", severity="critical,high")
    wanted(rule="bot-loop")
    wanted(tool="Deskflow", status="open")
    wanted(act_tool="Journeys")
    wanted(evidence_tool="Stockroom", attribution="could_not_know")
    wanted(campaign="Boots", customer="customer-03")
    wanted(since=str(NOW - DAY + 5 * HOUR))
    wanted(q="SPRING SALE")
    wanted(q="bot-lo")
    assert ids(store, {"q": "100%_"}) == []
    assert ids(store, {"status": "", "sort": ""}) == [row.id for row in rows]


@pytest.mark.parametrize(
    ("filters", "cursor", "field"),
    [
        ({"colour": "red"}, None, "colour"),
        ({"status": "angry"}, None, "status"),
        ({"severity": "high,urgent"}, None, "severity"),
        ({"since": "yesterday"}, None, "since"),
        ({"sort": "random"}, None, "sort"),
        ({}, "rubbish", "cursor"),
        ({}, "\u00e9\udcff", "cursor"),
        ({}, "WzFd", "cursor"),
        ({}, "WyJuZXdlc3QiLDFlOTksImEiXQ==", "cursor"),
    ],
)
def test_a_question_without_meaning_is_refused_with_its_field(store, filters, cursor, field):
    with pytest.raises(BadQuery) as refused:
        store.alerts(filters, 10, cursor)
    assert refused.value.field == field


def test_people_act_with_the_version_they_saw(store):
    store.commit(Effects(changes=[raised(a_promo("c", NOW))]), NOW)
    (alert,) = ids(store)
    row = store.act(alert, order(AlertAction.ACKNOWLEDGE, version=1, note="mine"))
    assert (row.status, row.version, row.note) == ("acknowledged", 2, "mine")
    with pytest.raises(VersionConflict) as conflict:
        store.act(alert, order(AlertAction.RESOLVE, version=1))
    assert conflict.value.version == 2
    with pytest.raises(ActionRefused):
        store.act(alert, order(AlertAction.ACKNOWLEDGE))
    assert store.act("nothing", order(AlertAction.RESOLVE)) is None
    assert store.act(alert, order(AlertAction.UNDO, version=2)).status == "open"
    view = store.alert(alert)
    assert [(entry.action, entry.actor, entry.note) for entry in view.audit] == [
        ("raise", "coordwatch", ""), ("acknowledge", "ada@ops.test", "mine"), ("undo", "ada@ops.test", ""),
    ]  # fmt: skip
    assert not view.undoable


def test_a_snooze_ends_when_its_time_has_come(store):
    store.commit(Effects(changes=[raised(a_promo("c", NOW))]), NOW)
    (alert,) = ids(store)
    assert store.act(alert, order(AlertAction.SNOOZE, until=NOW + HOUR)).snoozed_until == NOW + HOUR
    assert store.wake_snoozed(NOW + HOUR - 1) == []
    (change,) = store.wake_snoozed(NOW + HOUR)
    assert (change.alert.id, store.alerts({}, 1, None)[0][0].status) == (alert, "open")
    assert store.wake_snoozed(NOW + HOUR) == []


def test_a_decision_about_telling_is_asked_for_once_and_again_when_an_alert_opens_again(store):
    store.commit(Effects(changes=[raised(a_promo("c", NOW))]), NOW)
    (alert,) = ids(store)
    assert [one.id for one in store.undecided(10)] == [alert]
    store.decided({alert: "new"})
    store.decided({})
    store.commit(Effects(changes=[raised(a_promo("c", NOW + 1))]), NOW)
    assert store.undecided(10) == []
    store.act(alert, order(AlertAction.RESOLVE))
    assert store.undecided(10) == []
    store.commit(Effects(changes=[raised(a_promo("c", NOW + 2))]), NOW)
    assert [one.id for one in store.undecided(10)] == [alert]


def test_listeners_hear_of_changes_after_the_commit(store):
    heard = []
    store.listen = lambda changes: heard.extend((change.action, len(ids(store))) for change in changes)
    store.commit(Effects(changes=[raised(a_promo("c", NOW)), raised(a_cancellation("c", NOW))]), NOW)
    store.commit(Effects(changes=[retracted(a_promo("c", NOW))]), NOW)
    store.commit(Effects(values={"k": b"v"}), NOW)
    assert heard == [(AlertAction.RAISE, 2), (AlertAction.RAISE, 2), (AlertAction.RETRACT, 2)]


def test_rules_36_a_retired_rule_closes_its_alerts(make):
    cards = dict(CARDS)
    store = make(cards)
    store.commit(Effects(changes=[raised(a_promo("c", NOW)), raised(a_cancellation("c", NOW))]), NOW)
    assert store.close_rules_that_ended(NOW) == 0
    cards[PROMO.id] = replace(PROMO, status=RuleStatus.RETIRED)
    assert store.close_rules_that_ended(NOW) == 1
    (closed,) = ids(store, {"rule": PROMO.id})
    view = store.alert(closed)
    assert (view.row.status, view.audit[-1].note) == ("resolved", "rule_retired")


def test_an_alert_over_many_customers_names_them_all(make):
    card = replace(PROMO, once_per=("campaign",))
    store = make({card.id: card})
    store.commit(Effects(changes=[raised(a_promo(f"c{n}", NOW + n, case=f"K-{n}")) for n in range(4)]), NOW)
    (alert,) = ids(store)
    view = store.alert(alert)
    assert (view.row.count, view.row.customer, view.also_affected) == (4, "c3", ["c0", "c1", "c2"])
    assert [row.id for row in store.customer_alerts("c1")] == [alert]
    assert store.customer_alerts("nobody") == []


def test_the_audit_trail_says_what_was_done_and_never_what_was_written_beside_it(store):
    store.commit(Effects(changes=[raised(a_promo("c", NOW))]), NOW)
    (alert,) = ids(store)
    store.act(alert, order(AlertAction.SNOOZE, until=NOW + HOUR, note="she called: 555-0101"))
    store.wake_snoozed(NOW + 2 * HOUR)
    store.commit(Effects(changes=[retracted(a_promo("c", NOW))]), NOW + 3 * HOUR)
    store.commit(Effects(changes=[retracted(a_promo("c", NOW))]), NOW + 4 * HOUR)
    trail = store.trail()
    found = [(link.number, link.at - NOW, link.actor, link.kind, link.subject) for link in trail.links()]
    assert found == [
        (1, 0, "coordwatch", "alert.raise", alert),
        (2, 0, "ada@ops.test", "alert.snooze", alert),
        (3, 2 * HOUR, "coordwatch", "alert.wake", alert),
        (4, 3 * HOUR, "coordwatch", "alert.retract", alert),
    ]
    facts = decode_json(trail.page(Asked(kind="alert.snooze"), 5)[0].facts)
    assert facts == {
        "before": "open", "after": "snoozed", "version": 2, "rule": PROMO.id, "noted": True, "until": "2026-03-02T13:00:00Z",
    }  # fmt: skip
    assert check(trail.links(), [trail.head()]).broken is None
    trail.add([Deed(NOW, "ada", DeedKind.VIEW_SAVE, "mine")])
    assert [link.number for link in trail.page(Asked(kind="alert", before=4), 2)] == [3, 2]
    assert [link.kind for link in trail.page(Asked("ada"), 5)] == ["view.save"]
    assert [link.number for link in trail.page(Asked(subject=alert, since=NOW + HOUR, until=NOW + 3 * HOUR), 5)] == [3]
    assert [link.number for link in trail.links(3)] == [4, 5]


def test_verdicts_are_counted_by_rule_and_outlive_their_alerts(store):
    for number in range(4):
        store.commit(Effects(changes=[raised(a_promo(f"c{number}", NOW, case=f"K-{number}"))]), NOW)
    one, two, three, four = ids(store)
    store.act(one, order(AlertAction.JUDGE))
    store.act(two, order(AlertAction.VERDICT, verdict=Verdict.TOO_WIDE, note="a newsletter"))
    store.act(three, order(AlertAction.JUDGE, verdict=Verdict.UNSURE))
    store.act(four, order(AlertAction.VERDICT))
    store.act(four, order(AlertAction.UNDO))
    (counts,) = store.rule_counts()
    assert counts.verdicts == {"conflict": 1, "too_wide": 1, "unsure": 1}
    views = [store.alert(alert) for alert in (one, two, three, four)]
    assert [(view.row.status, view.verdict) for view in views] == [
        ("open", "conflict"), ("not_a_conflict", "too_wide"), ("open", "unsure"), ("open", ""),
    ]  # fmt: skip
    assert [entry.note for entry in views[1].audit] == ["", "too wide: a newsletter"]
    store.act(two, order(AlertAction.REOPEN))
    assert store.rule_counts()[0].verdicts == {"conflict": 1, "unsure": 1}
    store.act(one, order(AlertAction.RESOLVE))
    store.expire(NOW + HOUR, 0)
    assert store.alert(one) is None
    assert store.rule_counts()[0].verdicts == {"conflict": 1, "unsure": 1}


# ---- the shelf of the pages


def test_views_are_kept_by_name_and_let_go(store):
    shelf = store.shelf()
    mine = SavedView("Mine", {"status": "acknowledged", "q": "naïve"}, "ada", NOW)
    assert shelf.keep_view(mine)
    assert shelf.keep_view(replace(mine, query={"sort": "count"}, actor="eve"))
    assert shelf.keep_view(SavedView("All", {}, "ada", NOW))
    assert [(one.name, one.query, one.actor) for one in shelf.views()] == [
        ("All", {}, "ada"),
        ("Mine", {"sort": "count"}, "eve"),
    ]
    assert (shelf.drop_view("Mine", "ada", NOW), shelf.drop_view("Mine", "ada", NOW)) == (True, False)
    for number in range(VIEWS_MOST - 1):
        assert shelf.keep_view(SavedView(f"{number}", {}, "ada", NOW))
    assert not shelf.keep_view(SavedView("one too many", {}, "ada", NOW))
    assert shelf.keep_view(SavedView("All", {"sort": "gap"}, "ada", NOW))


def test_a_rule_that_is_written_otherwise_is_a_new_version(store):
    shelf = store.shelf()
    assert shelf.note_rules({"a": "one", "b": "two"}, NOW) == []
    assert shelf.note_rules({"a": "one", "b": "two"}, NOW + 1) == []
    assert shelf.note_rules({"a": "other", "b": "two"}, NOW) == ["a"]
    assert [(one.at, one.text) for one in shelf.rule_versions("a")] == [(NOW + 1, "other"), (NOW, "one")]
    assert [(one.rule, one.at, one.text) for one in shelf.rule_versions()] == [
        ("a", NOW + 1, ""),
        ("a", NOW, ""),
        ("b", NOW, ""),
    ]


def test_campaigns_who_acted_last_and_what_happened_since(store):
    fill(store)
    shelf = store.shelf()
    rows, _ = store.alerts({}, 100, None)
    named = [row for row in rows if row.campaign is not None]
    campaigns = shelf.campaigns(10)
    assert sum(one.total for one in campaigns) == len(named)
    assert campaigns == sorted(campaigns, key=lambda one: (-one.open, -one.total, one.name, one.tool))
    assert shelf.campaigns(0) == []
    seen = shelf.newest_move()
    assert shelf.moves(seen, 10) == []
    row = next(row for row in rows if row.status == "open")
    store.act(row.id, order(AlertAction.ACKNOWLEDGE, note="mine", now=NOW + DAY))
    acts = shelf.last_acts([row.id, "nobody"])
    assert {alert: (one.actor, one.action, one.note) for alert, one in acts.items()} == {
        row.id: ("ada@ops.test", "acknowledge", "mine")
    }
    assert shelf.last_acts([]) == {}
    (moved,) = shelf.moves(seen, 10)
    assert (moved.row.id, moved.row.status, moved.action, moved.actor) == (
        row.id,
        "acknowledged",
        "acknowledge",
        "ada@ops.test",
    )
    assert moved.number == shelf.newest_move() > seen
