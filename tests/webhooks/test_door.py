"""What is answered at the webhook door, so that a tool goes on sending and nothing is lost; over real HTTP."""

import http.client
import json
import logging

import pytest

from coordwatch.errors import TemporaryError
from tests.api.build import an_event as a_canonical_event
from tests.build import NOW
from tests.webhooks import vendors
from tests.webhooks.serving import Place, a_hook, serving

SECRET = "a-secret-of-nobody-1"
BEARER = {"Authorization": f"Bearer {SECRET}"}
AT = NOW // 1_000_000 - 100


@pytest.fixture(scope="module")
def place():
    named = {"mails": "sendgrid", "cloud": "cloudevents", "own": "canonical", "shop": "shopify"}
    hooks = [a_hook(name, [SECRET], source, "bearer") for name, source in named.items()]
    with serving(*hooks, a_hook("small", [SECRET], check="bearer", limit=2000), token="a-token-of-the-pages") as one:
        yield one


def a_mail(number: int, **more: object) -> dict[str, object]:
    row = {"email": "mina@example.com", "timestamp": AT, "event": "processed", "sg_event_id": f"door-{number}"}
    return {**row, "sg_message_id": "m-1", **more}


def test_each_piece_of_a_batch_is_accounted_for_with_its_path(place: Place):
    batch = [
        a_mail(1),
        a_mail(1),
        a_mail(2, event="delivered"),
        a_mail(3, event="teleported"),
        a_mail(4, email={"is": "an object"}),
        "just a text",
    ]
    answer = place.post("mails", json.dumps(batch).encode(), BEARER)
    assert answer.status_code == 200, "also what cannot be used is answered with 200: it is kept, and would come again"
    (item,) = answer.json()["items"]
    assert item["status"] == "dead_lettered"
    assert item["events"] == {"applied": 1, "duplicate": 1}
    assert item["dropped"] == {"already_reported": 1}
    assert item["rejected_count"] == 3
    told = [(one["piece"], one["reason"], one["path"]) for one in item["rejected"]]
    assert told == [(3, "not_recognised", None), (4, "wrong_kind", "email"), (5, "not_an_object", None)]
    assert all(one["detail"] and one["stage"] for one in item["rejected"])
    assert any(letter.original == json.dumps(batch).encode() for letter in place.api.store.dead_letters(99))


def test_bytes_that_are_no_json_are_kept_and_answered_with_200(place: Place):
    answer = place.post("mails", b"\xff\x00", BEARER)
    assert answer.status_code == 200
    assert answer.json()["items"][0]["rejected"][0]["reason"] == "not_json"
    assert b"\xff\x00" in [letter.original for letter in place.api.store.dead_letters(99)]


def test_an_empty_post_is_how_some_tools_try_an_address(place: Place):
    answer = place.post("mails", b"", BEARER)
    assert (answer.status_code, answer.json()) == (200, {"repeated": False, "items": []})


@pytest.mark.parametrize("name", ["cloud", "own"])
def test_cloudevents_in_all_three_modes(place: Place, name: str):
    def the_event(number: int) -> dict[str, object]:
        return {**a_canonical_event(f"{name}-{number}"), "source": "cloud-shop"}

    one = place.post(name, json.dumps(the_event(1)).encode(), BEARER, "application/cloudevents+json")
    assert [item["events"] for item in one.json()["items"]] == [{"applied": 1}], one.text
    both = [the_event(2), the_event(3), {"specversion": "1.0"}]
    batch = place.post(name, json.dumps(both).encode(), BEARER, "application/cloudevents-batch+json")
    assert [item["status"] for item in batch.json()["items"]] == ["applied", "applied", "dead_lettered"]
    if name == "cloud":
        plain = the_event(4)
        headers = {
            f"ce-{word}": str(plain[word]) for word in ("specversion", "id", "source", "type", "time", "subject")
        }
        binary = place.post(name, json.dumps(plain["data"]).encode(), {**BEARER, **headers})
        assert [item["events"] for item in binary.json()["items"]] == [{"applied": 1}], binary.text


def test_a_tool_tells_its_topic_in_a_header(place: Place):
    body = {"id": 17, "updated_at": "2026-03-02T10:00:00Z", "email": "mina@example.com", "customer": {"id": 5}}
    answer = place.post("shop", json.dumps(body).encode(), {**BEARER, "X-Shopify-Topic": "orders/updated"})
    assert answer.json()["items"][0]["rejected_count"] == 0, answer.text


def test_too_much_is_refused_before_it_is_read(place: Place):
    address = place.client.base_url
    line = http.client.HTTPConnection(address.host, address.port, timeout=30)
    line.putrequest("POST", "/v1/sources/small")
    line.putheader("Content-Length", "2001")
    line.endheaders()
    answer = line.getresponse()
    assert answer.status == 413, "not a byte of the body was sent"
    assert b"2,000 bytes" in answer.read()
    line.close()


def test_too_much_without_a_length_is_refused_on_the_way(place: Place):
    answer = place.client.post("/v1/sources/small", content=(b"x" * 500 for _ in range(100)), headers=BEARER)
    assert answer.status_code == 413
    assert place.hooks["small"].outcomes["too_large"] >= 1
    assert place.client.post("/v1/sources/small", content=b"x" * 2000, headers=BEARER).status_code == 200


def test_a_signature_takes_the_place_of_the_token_and_of_our_own_name(place: Place):
    foreign = {"Host": "hooks.example.com", "Origin": "https://elsewhere.example.com"}
    body = json.dumps([a_mail(7)]).encode()
    assert place.post("mails", body, {**BEARER, **foreign}).status_code == 200
    assert place.client.get("/v1/sources", headers=foreign).status_code == 401, "nothing but the webhooks is open"
    assert place.client.post("/v1/sources/unknown").status_code == 401
    token = {"Authorization": "Bearer a-token-of-the-pages"}
    assert place.post("mails", body, token).status_code == 401, "the token of the pages is no signature"


def test_whoever_knows_the_token_is_told_which_webhooks_there_are(place: Place):
    answer = place.client.post("/v1/sources/unknown", headers={"Authorization": "Bearer a-token-of-the-pages"})
    assert answer.status_code == 404
    assert "cloud, mails, own, shop, small" in answer.json()["detail"]


def test_an_address_can_be_looked_at(place: Place):
    assert place.client.get("/v1/sources/mails").json() == {"source": "sendgrid", "status": "ready for POST"}
    assert place.client.head("/v1/sources/mails").status_code == 200
    asked = place.client.options("/v1/sources/mails", headers={"WebHook-Request-Origin": "events.example.com"})
    assert asked.headers["WebHook-Allowed-Origin"] == "events.example.com"


def test_slack_style_verification_is_answered(place: Place):
    answer = place.post("mails", b'{"type": "url_verification", "challenge": "c-1", "token": "x"}', BEARER)
    assert (answer.status_code, answer.json()) == (200, {"challenge": "c-1"})


def test_a_subscription_of_sns_is_said_and_never_fetched(place: Place, caplog):
    address = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:x&Token=t-1"
    body = {"Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:x", "SubscribeURL": address}
    with caplog.at_level(logging.WARNING):
        assert place.post("mails", json.dumps(body).encode(), BEARER).status_code == 200
        assert f"open {address}" in caplog.text
        caplog.clear()
        for elsewhere in ("http://169.254.169.254/latest", "https://sns.s3-eu-west-1.amazonaws.com/?Action=x"):
            body["SubscribeURL"] = elsewhere
            assert place.post("mails", json.dumps(body).encode(), BEARER).status_code == 200
    assert caplog.text.count("do not confirm it") == 2
    assert "169.254" not in caplog.text
    assert "s3-eu" not in caplog.text


def test_a_busy_writer_is_503_and_the_same_request_is_taken_later():
    with serving(a_hook("slack", [SECRET])) as own:
        handle, body = own.api.processor.handle, json.dumps([a_mail(8)]).encode()

        def refuse(*_more: object) -> None:
            raise TemporaryError("the database is busy", retry_after=2.0)

        own.api.processor.handle = refuse
        headers = vendors.slack(body, SECRET, own.seconds)
        answer = own.post("slack", body, headers)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        own.api.processor.handle = handle
        again = own.post("slack", body, headers)
        assert again.json()["repeated"] is False, "what was not committed is not remembered as taken"
        assert again.json()["items"][0]["events"] == {"applied": 1}


def test_outcomes_are_counted_and_nothing_secret_is_logged(caplog):
    with serving(a_hook("slack", [SECRET])) as own, caplog.at_level(logging.DEBUG):
        body = json.dumps([a_mail(9)]).encode()
        own.post("slack", body, vendors.slack(body, SECRET, own.seconds))
        wrong = vendors.slack(body, "another-secret-0000", own.seconds)
        for _ in range(9):
            own.post("slack", body, wrong)
        text = own.client.get("/metrics").text
    assert 'coordwatch_webhook_requests_total{outcome="taken",source="slack"} 1.0' in text
    assert 'coordwatch_webhook_requests_total{outcome="wrong_signature",source="slack"} 9.0' in text
    said = [record.getMessage() for record in caplog.records if record.name == "coordwatch.webhooks"]
    assert len(said) == 4, "the first, the second, the fourth, the eighth: a wrong secret does not fill the log"
    ours = "".join(said)
    assert not [word for word in (SECRET, "mina@example.com", wrong["X-Slack-Signature"]) if word in ours]
