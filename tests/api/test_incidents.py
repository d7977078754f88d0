"""`/v1/incidents`: listed, shown, acted on, repaired and exported over HTTP."""

import csv
import io

import pytest

from tests.api.build import an_api


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    one = an_api(filled=True, database=tmp_path_factory.mktemp("incidents") / "a.db")
    yield one
    one.store.close()


def biggest(api):
    found = api.client.get("/v1/incidents", params={"sort": "customers", "status": "open,acknowledged"}).json()["items"]
    return found[0]


def test_incidents_are_listed_page_by_page_and_shown_with_their_causes(api):
    every = api.client.get("/v1/incidents").json()["items"]
    first = api.client.get("/v1/incidents", params={"limit": 1}).json()
    rest = api.client.get("/v1/incidents", params={"cursor": first["next"]}).json()
    assert [one["id"] for one in (*first["items"], *rest["items"])] == [one["id"] for one in every]
    assert len(every) > 2
    shown = api.client.get(f"/v1/incidents/{biggest(api)['id']}")
    body = shown.json()
    assert body["causes"][0]["name"] == "the campaign Spring sale"
    assert body["causes"][0]["score"] > body["causes"][-1]["score"]
    assert body["actions"] == ["acknowledge", "resolve", "note"]
    tag = {"If-None-Match": shown.headers["ETag"]}
    assert api.client.get(f"/v1/incidents/{body['id']}", headers=tag).status_code == 304
    mine = api.client.get("/v1/alerts", params={"incident": body["id"]}).json()["items"]
    assert len(mine) == body["alerts"]
    assert {one["incident"] for one in mine} == {body["id"]}
    for wrong in ({"sort": "colour"}, {"status": "asleep"}, {"cursor": "x"}):
        assert api.client.get("/v1/incidents", params=wrong).status_code == 400
    assert api.client.get("/v1/incidents/none").status_code == 404


def test_an_incident_is_taken_with_its_alerts_as_it_was_seen(api):
    address = f"/v1/incidents/{biggest(api)['id']}"
    tag = {"If-Match": api.client.get(address).headers["ETag"]}
    assert api.client.post(f"{address}/acknowledge", json={}).status_code == 428
    key = {"Idempotency-Key": "take-it"}
    taken = api.client.post(f"{address}/acknowledge", json={"actor": "ada"}, headers={**tag, **key})
    assert (taken.json()["status"], taken.json()["taken_by"]) == ("acknowledged", "ada")
    again = api.client.post(f"{address}/acknowledge", json={"actor": "ada"}, headers={**tag, **key})
    assert again.json() == taken.json()
    assert api.client.post(f"{address}/resolve", json={}, headers=tag).status_code == 412
    assert api.client.post(f"{address}/acknowledge", json={"version": 2}).status_code == 409
    assert api.client.post(f"{address}/undo", json={"version": 2}).json()["status"] == "open"
    wrong = api.client.post(f"{address}/split", json={"version": 3, "alerts": ["none"]})
    assert (wrong.status_code, "not in this incident" in wrong.json()["detail"]) == (409, True)
    one = api.client.get("/v1/alerts", params={"incident": biggest(api)["id"]}).json()["items"][0]["id"]
    new = api.client.post(f"{address}/split", json={"version": 3, "alerts": [one]}).json()
    assert new["alerts"] == 1
    back = api.client.post(f"{address}/merge", json={"version": 4, "incidents": [new["id"]]}).json()
    assert back["version"] == 5
    assert api.client.get(f"/v1/incidents/{new['id']}").json()["merged_into"] == back["id"]


def test_customers_are_repaired_one_or_many_and_the_list_is_taken_along(api):
    incident = biggest(api)["id"]
    address = f"/v1/incidents/{incident}/repairs"
    first = api.client.get(address, params={"limit": 2}).json()
    rest = api.client.get(address, params={"cursor": first["next"]}).json()["items"]
    customers = [one["customer"] for one in (*first["items"], *rest)]
    assert customers == sorted(set(customers))
    bad = "=HYPERLINK(1)"
    one = api.client.request(
        "PUT", address, json={"customers": customers[:1], "state": "repaired", "note": bad, "version": 0}
    )
    assert (one.json()["items"][0]["state"], one.json()["items"][0]["version"]) == ("repaired", 1)
    late = api.client.request("PUT", address, json={"customers": customers[:1], "state": "open", "version": 0})
    assert late.status_code == 409
    many = api.client.request("PUT", address, json={"customers": customers[:3], "state": "not_needed"})
    assert [one["state"] for one in many.json()["items"]] == ["repaired", "not_needed", "not_needed"]
    assert api.client.request("PUT", address, json={"customers": ["nobody"], "state": "repaired"}).status_code == 409
    file = api.client.get(f"/v1/incidents/{incident}/export/csv")
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.headers["Content-Disposition"] == f'attachment; filename="incident-{incident}.csv"'
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))
    assert [row["customer"] for row in rows] == customers
    assert rows[0]["note"] == f"'{bad}"
    taken = api.client.get(f"/v1/incidents/{incident}/export/json").json()
    assert [one["customer"] for one in taken] == customers
    assert taken[0]["note"] == bad
    assert api.client.get("/v1/incidents/none/export/csv").status_code == 404
    kinds = [one["kind"] for one in api.client.get("/v1/audit", params={"kind": "incident"}).json()["items"]]
    assert kinds.count("incident.export") == 2
