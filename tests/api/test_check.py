"""`POST /v1/check`: the answer before an act is what the rules would say after it, and a mistake is told by its field."""

import json

import pytest

from coordwatch.access.principal import Principal, Way
from coordwatch.access.roles import Permission
from coordwatch.adapters.http_api.checking import CheckBody, CheckDesk
from tests.api.build import an_api, an_event
from tests.build import NOW

PROMO = {"category": "promotional", "channel": "email", "campaign": "Spring sale"}


def asked(api, status: int = 200, **body):
    answer = api.client.post("/v1/check", json={"type": "marketing.message.sent", "data": PROMO, **body})
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.fixture
def api():
    """Customer 01 has an open complaint; of customer 02 it was solved at noon of the second; nobody else is known."""
    made = an_api()
    opened = an_event("C-1", tool={"name": "Deskflow"})
    other = an_event("C-2", subject="customer-02", case="K-2", tool={"name": "Deskflow"})
    solved = an_event("C-3", "service.case.status_changed", "2026-03-02T12:00:00Z", subject="customer-02", case="K-2",
                      status="solved")  # fmt: skip
    del solved["data"]["kind"]
    assert made.events(json.dumps([opened, other, solved]).encode()).status_code == 200
    return made


def test_a_promotion_into_an_open_complaint_is_held_back_with_what_stands_against_it(api):
    """Until the state would end by itself, which is long; or until the complaint is closed, of which nobody knows when."""
    answer = asked(api, subject="customer-01", source="Journeys")
    assert (answer["advice"], answer["until"] > "2026-04") == ("hold", True)
    (one,) = answer["objections"]
    assert one["rule"] == "promo-during-open-complaint"
    assert one["evidence"][0]["id"] == "C-1"
    assert one["sentence"].startswith("Journeys sent Spring sale")
    assert answer["why"].startswith("Wait until ")
    assert answer["why"].endswith(", or until something changes: Promotion sent while a complaint is open.")
    assert answer["customer"] == "customer-01"


def test_what_was_asked_leaves_nothing_behind(api):
    before = api.client.get("/v1/customers/customer-01").json()
    asked(api, subject="customer-01", source="Journeys")
    assert api.client.get("/v1/customers/customer-01").json() == before
    assert api.client.get("/v1/alerts").json()["items"] == []
    assert {one["detections"] for one in api.client.get("/v1/rules").json()["items"]} == {0}


def test_the_answer_is_what_the_alert_says_afterwards(api):
    before = asked(api, subject="customer-01", source="Journeys")
    promo = an_event("M-1", "marketing.message.sent", "2026-03-03T10:00:00Z", message="M-1", tool={"name": "Journeys"},
                     **PROMO)  # fmt: skip
    del promo["data"]["case"], promo["data"]["kind"]
    assert api.events(json.dumps(promo).encode()).status_code == 200
    raised = {one["rule"] for one in api.client.get("/v1/alerts").json()["items"]}
    assert raised == {one["rule"] for one in before["objections"]}


def test_nothing_stands_against_a_service_message_nor_against_somebody_unknown(api):
    service = {**PROMO, "category": "transactional"}
    assert asked(api, subject="customer-01", data=service)["advice"] == "allow"
    nobody = asked(api, subject="customer-99")
    assert (nobody["advice"], nobody["customer"]) == ("allow", None)
    by_mail = asked(api, data={**PROMO, "identifiers": [{"type": "email", "value": "nobody@mail.example"}]})
    assert (by_mail["advice"], by_mail["customer"]) == ("allow", None)
    assert by_mail["why"].startswith("Nobody is known")


def test_a_customer_is_named_by_an_address_or_by_the_key_that_an_alert_shows(api):
    """Keys are made here; no tool knows them but by an answer of ours."""
    mail = [{"type": "email", "value": "ann@mail.example"}]
    opened = an_event("C-7", subject=None, case="K-7", identifiers=mail, tool={"name": "Deskflow"})
    assert api.events(json.dumps(opened).encode()).status_code == 200
    by_mail = asked(api, data={**PROMO, "identifiers": mail})
    assert by_mail["advice"] == "hold"
    by_key = asked(api, subject=by_mail["customer"])
    assert (by_key["customer"], by_key["objections"]) == (by_mail["customer"], by_mail["objections"])


def test_who_may_ask_but_not_read_learns_which_rule_and_not_what_happened(api):
    desk = CheckDesk(lambda act: api.processor.check(act, NOW), api.clock, api.processor.specs)
    answer = desk.check(CheckBody(type="marketing.message.sent", subject="customer-01", data=PROMO), reads=False)
    (one,) = answer.objections
    assert (one.rule, one.sentence, one.evidence) == ("promo-during-open-complaint", "", [])
    assert answer.customer is None
    assert not Principal("", frozenset({Permission.CHECK}), Way.API_TOKEN).may(Permission.READ)


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"type": "marketing.mesage.sent"}, "type", "did you mean 'marketing.message.sent'?"),
        ({"data": {**PROMO, "catagory": "promotional"}}, "data.catagory", "did you mean 'category'?"),
        ({"data": {"channel": "email"}}, "data.category", "would else let everything pass"),
        ({"data": {**PROMO, "category": "pormotional"}}, "data.category", "promotional"),
        ({"time": "yesterday"}, "time", "yesterday"),
        ({"time": "2020-01-01T00:00:00Z"}, "time", "GET /v1/explain"),
        ({"subject": None}, "subject", "data.identifiers"),
    ],
)
def test_a_mistake_is_told_with_its_field_and_the_next_move(api, body, field, words):
    found = asked(api, 422, **{"subject": "customer-01", **body})
    assert found["errors"][0]["field"] == field
    assert words in found["detail"]


def test_it_is_counted_what_was_answered(api):
    asked(api, subject="customer-01")
    asked(api, subject="customer-99")
    text = api.client.get("/metrics").text
    assert 'coordwatch_checks_total{advice="hold"} 1.0' in text
    assert 'coordwatch_checks_total{advice="allow"} 1.0' in text
    assert 'coordwatch_check_objections_total{rule="promo-during-open-complaint",status="live"} 1.0' in text


def test_a_hold_ends_when_the_answer_says(api):
    """An answered complaint is felt for 48 hours; a moment later may be asked about too."""
    now = asked(api, subject="customer-02")
    assert (now["advice"], now["until"]) == ("hold", "2026-03-04T12:00:00Z")
    assert asked(api, subject="customer-02", time="2026-03-04T11:59:59Z")["until"] == now["until"]
    later = asked(api, subject="customer-02", time=now["until"])
    assert (later["advice"], later["objections"]) == ("allow", [])
    assert "promo-during-open-complaint" in later["asked"]
    assert later["read_through"] == "2026-03-02T12:00:00Z"
    assert later["dark"] == []


def test_stock_that_is_gone_is_no_matter_of_time(api):
    level = an_event("L-1", "inventory.level.changed", item="SKU-1", location="Lyon", available=0)
    del level["data"]["case"], level["data"]["kind"], level["subject"]
    promo = {**PROMO, "items": [{"sku": "SKU-1"}], "location": "Lyon"}
    before = asked(api, subject="customer-09", data=promo)
    assert api.events(json.dumps(level).encode()).status_code == 200
    answer = asked(api, subject="customer-09", data=promo)
    assert (before["advice"], answer["advice"]) == ("allow", "deny")
    assert answer["why"].startswith("Not until something changes: ")
