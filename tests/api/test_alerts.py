"""Alerts over HTTP: lists, one alert, orders."""

import pytest

from coordwatch.errors import TemporaryError
from tests.api.build import an_api
from tests.build import NOW, PROMO

ANY = {"If-Match": "*"}


@pytest.fixture(scope="module")
def api():
    return an_api(filled=True)


def get(api, path: str, expected: int = 200, /, **query):
    answer = api.client.get(path, params=query)
    assert answer.status_code == expected, answer.text
    wanted = "application/json" if expected == 200 else "application/problem+json"
    assert answer.headers["content-type"] == wanted
    return answer.json()


def test_the_list_is_items_and_next(api):
    page = get(api, "/v1/alerts", limit=10)
    assert set(page) == {"items", "next"}
    assert len(page["items"]) == 10
    assert page["items"][0]["at"] == "2026-03-01T21:00:00Z"
    assert page["items"][0]["gap_seconds"] == 7200.0
    following = get(api, "/v1/alerts", limit=100, cursor=page["next"])
    assert following["next"] is None
    assert len({item["id"] for item in (*page["items"], *following["items"])}) == 24


def test_filters_work_as_the_reader_says(api):
    items = get(api, "/v1/alerts", status="open,snoozed", severity="high", tool="Deskflow")["items"]
    assert {(item["status"], item["severity"]) for item in items} == {("open", "high"), ("snoozed", "high")}
    assert get(api, "/v1/alerts", since="2026-03-01T21:00:00Z")["items"][0]["customer"] == "customer-05"
    assert get(api, "/v1/alerts", since=str(NOW))["items"] == []


@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ({"status": "angry"}, 400, "one of: open"),
        ({"sort": "colour"}, 400, "newest"),
        ({"cursor": "x"}, 400, "without one"),
        ({"since": "yesterday"}, 400, "not a time"),
        ({"limit": "0"}, 422, "limit"),
        ({"limit": "many"}, 422, "limit"),
        ({"colour": "red"}, 422, "colour"),
    ],
)
def test_a_bad_question_is_a_problem_that_names_the_field(api, query, status, word):
    problem = get(api, "/v1/alerts", status, **query)
    assert problem["status"] == status
    assert word in problem["detail"]


def test_one_alert_shows_its_evidence_its_history_and_what_can_be_done(api):
    (item,) = get(api, "/v1/alerts", status="snoozed")["items"]
    alert = get(api, f"/v1/alerts/{item['id']}")
    assert alert["detections"][0]["evidence"][0]["observed_at"].endswith("Z")
    assert [entry["action"] for entry in alert["audit"]] == ["raise", "snooze"]
    assert alert["snoozed_until"] == "2026-03-03T12:00:00Z"
    assert alert["actions"] == ["wake", "acknowledge", "snooze", "resolve", "verdict", "judge", "undo"]
    assert len(alert["also_affected"]) == 10


def test_an_alert_that_is_not_there_is_a_404_with_the_next_move(api):
    assert "GET /v1/alerts lists them" in get(api, "/v1/alerts/nothing", 404)["detail"]


def test_orders_are_carried_out_once_and_the_second_sees_a_conflict():
    api = an_api(filled=True)
    alert = api.client.get("/v1/alerts", params={"status": "open"}).json()["items"][0]
    path = f"/v1/alerts/{alert['id']}"
    done = api.client.post(f"{path}/acknowledge", json={"version": 1, "note": "mine", "actor": "ada@ops.test"})
    assert (done.status_code, done.json()["status"], done.json()["version"]) == (200, "acknowledged", 2)
    late = api.client.post(f"{path}/resolve", json={"version": 1})
    assert (late.status_code, late.json()["version"]) == (409, 2)
    assert api.client.post(f"{path}/acknowledge", json={}, headers=ANY).status_code == 409
    snoozed = api.client.post(f"{path}/snooze", json={"until": "4h"}, headers=ANY)
    assert snoozed.json()["snoozed_until"] == "2026-03-02T16:00:00Z"
    assert api.client.post(f"{path}/undo", json={}, headers=ANY).json()["status"] == "acknowledged"
    assert api.client.post(f"{path}/not_a_conflict", json={}, headers=ANY).json()["status"] == "not_a_conflict"
    audit = api.client.get(path).json()["audit"]
    assert [(entry["actor"], entry["action"]) for entry in audit[1:3]] == [
        ("ada@ops.test", "acknowledge"), ("api", "snooze"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/alerts/{id}/explode", {}, 422),
        ("/v1/alerts/{id}/snooze", {"until": "soon"}, 422),
        ("/v1/alerts/{id}/snooze", {"until": "2020-01-01T00:00:00Z"}, 409),
        ("/v1/alerts/{id}/resolve", {"version": "one"}, 422),
        ("/v1/alerts/{id}/resolve", {"colour": "red"}, 422),
        ("/v1/alerts/{id}/resolve", {"note": "x" * 3000}, 422),
        ("/v1/alerts/{id}/resolve", [], 422),
        ("/v1/alerts/nothing/resolve", {}, 404),
    ],
)
def test_an_order_that_makes_no_sense_changes_nothing(api, path, body, status):
    alert = api.client.get("/v1/alerts", params={"status": "open"}).json()["items"][0]
    answer = api.client.post(path.format(id=alert["id"]), json=body, headers=ANY)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert api.client.get(f"/v1/alerts/{alert['id']}").json()["version"] == alert["version"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"version": NaN}', b"null"])
def test_a_broken_order_is_a_problem_and_not_a_crash(api, body):
    alert = api.client.get("/v1/alerts", params={"status": "open"}).json()["items"][0]
    answer = api.client.post(
        f"/v1/alerts/{alert['id']}/resolve", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_busy_database_is_a_503_that_says_when_to_come_back():
    class Busy:
        def act(self, alert_id, order, once=None):
            raise TemporaryError("the database is busy", retry_after=2.5)

        def alerts(self, filters, limit, cursor):
            raise TemporaryError("the database is busy")

    api = an_api(filled=True)
    store = api.store
    store.act, store.alerts = Busy().act, Busy().alerts
    answer = api.client.post("/v1/alerts/x/resolve", json={}, headers=ANY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert api.client.get("/v1/alerts").status_code == 503


def test_a_verdict_goes_into_the_precision_of_the_rule():
    api = an_api(filled=True)
    rows = [row for row in api.store.alerts({"status": "open"}, 100, None)[0] if row.rule == PROMO.id]
    for row, (action, body) in zip(
        rows,
        [("conflict", {}), ("conflict", {}), ("not_a_conflict", {"because": "intended"}), ("unsure", {})],
        strict=False,
    ):
        answer = api.client.post(f"/v1/alerts/{row.id}/{action}", json={"version": row.version, **body})
        assert answer.status_code == 200, answer.text
    assert api.client.get(f"/v1/alerts/{rows[2].id}").json()["verdict"] == "intended"
    assert api.client.get(f"/v1/alerts/{rows[0].id}").json()["verdict"] == "conflict"
    wrong = api.client.post(f"/v1/alerts/{rows[0].id}/resolve", json={"version": 2, "because": "intended"})
    assert (wrong.status_code, "because" in wrong.json()["detail"]) == (422, True)
    assert (
        'coordwatch_verdicts{rule="promo-during-open-complaint",verdict="conflict"} 2.0'
        in api.client.get("/metrics").text
    )


def test_a_snooze_waits_only_for_what_the_alert_offers(api):
    alert = api.client.get("/v1/alerts", params={"status": "open"}).json()["items"][0]
    shown = api.client.get(f"/v1/alerts/{alert['id']}").json()
    assert (shown["conditions"], shown["snoozed_for"]) == ([], "")
    address, said = f"/v1/alerts/{alert['id']}/snooze", {"version": alert["version"], "when": "case_closed"}
    nothing = api.client.post(address, json=said)
    assert (nothing.status_code, "'about' says for what" in nothing.json()["detail"]) == (422, True)
    never = api.client.post(address, json=said | {"about": "K-1"})
    assert (never.status_code, "cannot wait for" in never.json()["detail"]) == (409, True)


@pytest.mark.parametrize("sent", [{}, {"content": "{}", "headers": {"Content-Type": "text/plain"}}])
def test_an_order_without_a_body_says_what_to_send(api, sent):
    (row,) = get(api, "/v1/alerts", limit=1)["items"]
    answer = api.client.post(f"/v1/alerts/{row['id']}/acknowledge", **sent)
    assert (answer.status_code, answer.json()["detail"]) == (
        422, "body: an object belongs here, {} at least, with Content-Type: application/json"
    )  # fmt: skip
