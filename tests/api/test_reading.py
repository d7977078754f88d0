"""The rest of /v1, health, metrics, and the document that describes it all."""

import asyncio
import json

import pytest

from coordwatch.adapters.http_api.stream import WATCHERS_MAX, Stream
from coordwatch.adapters.prometheus import NAMES
from coordwatch.errors import Elsewhere, TemporaryError
from coordwatch.notify.decide import NotifyReason, notification
from tests.api.build import an_api, an_event
from tests.build import CARDS


@pytest.fixture(scope="module")
def api():
    """An API that has judged one promotion during a complaint."""
    made = an_api()
    promo = an_event("M-1", "marketing.message.sent", "2026-03-02T11:00:00Z", message="M-1", channel="email",
                     category="promotional", campaign="Spring sale", tool={"name": "Journeys"})  # fmt: skip
    del promo["data"]["case"], promo["data"]["kind"]
    opened = an_event("C-1", tool={"name": "Deskflow"})
    assert made.events(json.dumps([opened, promo]).encode()).status_code == 200
    return made


def get(api, path: str, status: int = 200, **query):
    answer = api.client.get(path, params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_conflict_is_there_with_both_tools(api):
    (alert,) = get(api, "/v1/alerts")["items"]
    assert alert["sentence"].startswith("Journeys sent Spring sale 1 h after complaint K-1 was opened; ")
    assert (alert["act_tool"], alert["evidence_tool"]) == ("Journeys", "Deskflow")


def test_rules_come_with_their_counts(api):
    items = {item["id"]: item for item in get(api, "/v1/rules")["items"]}
    assert len(items) >= 10
    promo = items["promo-during-open-complaint"]
    assert (promo["acts"], promo["detections"], promo["alerts"]) == (1, 1, 1)
    assert promo["sentence"]


def test_tools_and_sources(api):
    assert get(api, "/v1/tools")["items"][-1]["evidence_tool"] == "Deskflow"
    (source,) = get(api, "/v1/sources")["items"]
    assert (source["name"], source["read_through"]) == ("http", "2026-03-02T11:00:00Z")


def test_a_customer_is_shown_with_facts_states_and_alerts(api):
    customer = get(api, "/v1/customers/customer-01")
    assert [fact["type"] for fact in customer["facts"]] == ["service.case.opened", "marketing.message.sent"]
    assert customer["facts"][0]["time"] == "2026-03-02T10:00:00Z"
    assert len(customer["alerts"]) == 1
    assert get(api, "/v1/customers/a/b%20c", 404)["status"] == 404


def test_a_customer_who_is_kept_elsewhere_is_said_to_be_with_the_alerts_that_are_known():
    api = an_api(filled=True)

    def away(*_):
        raise Elsewhere("kept in partition 3 of cw.detect-state, by another worker", retry_after=3.0)

    api.away = away
    known = get(api, "/v1/customers/customer-05")
    assert (known["key"], "partition 3" in known["elsewhere"]) == ("customer-05", True)
    assert known["alerts"]
    assert get(api, "/v1/customers/nobody")["alerts"] == []
    why = get(api, "/v1/explain", 503, rule="promo-during-open-complaint", customer="customer-05")
    assert "partition 3" in why["detail"]


def test_explain_says_why_and_why_not(api):
    why = get(api, "/v1/explain", rule="promo-during-open-complaint", customer="customer-01")
    assert why["outcome"] == "open"
    assert all(step["held"] for step in why["steps"] if step["kind"] in ("when", "while"))
    named = get(
        api, "/v1/explain", rule="promo-during-open-complaint", customer="customer-01", source="/deskflow", id="M-1"
    )
    assert named["outcome"] == "open"
    nobody = get(api, "/v1/explain", rule="promo-during-open-complaint", customer="nobody")
    assert nobody["outcome"] == "no_act"
    assert get(api, "/v1/explain", 404, rule="nothing", customer="c")["status"] == 404
    assert get(api, "/v1/explain", 400, rule="bot-loop", customer="c", source="x")["status"] == 400
    assert get(api, "/v1/explain", 400, rule="bot-loop", customer="c", at="noon")["status"] == 400
    assert get(api, "/v1/explain", 422)["status"] == 422


def test_health_tells_a_writer_that_stands_still():
    api = an_api()
    assert get(api, "/livez") == {"status": "alive"}
    assert get(api, "/readyz") == {"status": "ready"}
    api.trouble = "the writer has stopped"
    assert get(api, "/readyz", 503)["detail"] == "the writer has stopped"
    assert get(api, "/livez") == {"status": "alive"}


def test_metrics_are_the_declared_ones_and_name_no_customer(api):
    answer = api.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    text = answer.text
    shown = {
        line.split()[2].removesuffix("_total") for line in text.splitlines() if line.startswith("# TYPE coordwatch")
    }
    absent = {"coordwatch_rules_disabled", "coordwatch_forget_unverified"}  # nobody reads them in this test
    assert shown == {name.name for name in NAMES} - absent
    assert 'coordwatch_acts_total{rule="promo-during-open-complaint"} 1.0' in text
    assert 'coordwatch_events_total{result="applied"} 2.0' in text
    assert "customer-01" not in text


def test_unknown_addresses_and_methods_are_problems(api):
    assert get(api, "/v1/nothing", 404)["title"] == "There is nothing here"
    answer = api.client.delete("/v1/alerts")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")


def test_the_openapi_document_names_every_address(api):
    document = get(api, "/v1/openapi.json")
    assert {"/v1/alerts", "/v1/alerts/{alert_id}/{action}", "/v1/events", "/v1/stream", "/metrics"} <= set(
        document["paths"]
    )
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description") or operation.get("summary"), (path, method)


def a_notification():
    api = an_api(filled=True)
    alert = api.store.undecided(1)[0]
    return notification(alert, CARDS[alert.rule], NotifyReason.NEW)


def test_a_watcher_hears_what_is_told_and_nothing_older():
    stream, told = Stream(keep_alive=0.01), a_notification()

    async def watch() -> list[bytes]:
        stream.tell(told)
        messages = stream.open()
        heard = [await anext(messages)]
        stream.tell(told)
        heard.append(await anext(messages))
        heard.append(await anext(messages))
        stream.close()
        heard += [message async for message in messages]
        return heard

    retry, alert, quiet, *rest = asyncio.run(watch())
    assert retry == b"retry: 2000\n\n"
    event, data = alert.decode().strip().split("\n")
    assert event == "event: alert"
    assert json.loads(data.removeprefix("data: "))["id"] == told.id
    assert quiet == b": keep-alive\n\n"
    assert set(rest) <= {b": keep-alive\n\n"}
    assert stream.watchers == 0


def test_a_watcher_that_does_not_keep_up_is_cut_off():
    stream, told = Stream(keep_alive=5), a_notification()

    async def watch() -> list[bytes]:
        messages = stream.open()
        await anext(messages)
        for _ in range(500):
            stream.tell(told)
        return [message async for message in messages]

    heard = asyncio.run(watch())
    assert len(heard) < 500


def test_only_so_many_may_watch():
    stream = Stream()

    async def watch() -> None:
        kept = [stream.open() for _ in range(WATCHERS_MAX)]
        with pytest.raises(TemporaryError):
            stream.open()
        for messages in kept:
            await messages.aclose()

    asyncio.run(watch())
