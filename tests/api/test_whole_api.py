"""Everything that the OpenAPI document allows is asked of a real server, and what it says is held against the document."""

import secrets
import threading

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from coordwatch.alerts.matchers import parse_matchers
from coordwatch.alerts.silence import Draft
from coordwatch.embedded.server import listen
from coordwatch.events.times import HOUR
from coordwatch.ports import SavedView
from tests.api.build import an_api
from tests.build import NOW
from tests.services.waiting import wait_until

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 8


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The API over a filled database, served on loopback as in earnest."""
    api = an_api(filled=True, database=tmp_path_factory.mktemp("api") / f"{secrets.token_hex(4)}.db")
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(api.application, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    wait_until(lambda: server.started, "the server to start")
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{listening.getsockname()[1]}/v1/openapi.json")
    # The stream has no end.
    silence = api.store.silences().create(Draft(parse_matchers("severity=low"), NOW, NOW + HOUR, "why"), "ada", NOW)
    api.store.shelf().keep_view(SavedView("Mine", {"sort": "gap"}, "ada", NOW))
    there = {
        "alert_id": api.store.alerts({}, 1, None)[0][0].id,
        "incident_id": api.store.incidents().incidents({}, 1, None)[0][0].id,
        "silence_id": silence.id,
        "name": "Mine",
    }
    yield schema.exclude(path="/v1/stream"), there
    server.should_exit = True
    thread.join()
    listening.close()
    api.store.close()


def asked(operation, mode, there):
    """Ask one address what its document allows, or what it does not; of what is there."""

    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        if mode is GenerationMode.POSITIVE:
            case.path_parameters |= {name: one for name, one in there.items() if name in case.path_parameters}
        case.call_and_validate(checks=CHECKS)

    ask()


def test_every_address_answers_as_the_document_says(served):
    schema, there = served
    wrong, tried = [], 0
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:
            try:
                asked(operation, mode, there)
            except Unsatisfiable:
                continue  # an address without parameters knows no wrong question
            except Exception as error:
                wrong.append(f"{operation.label} ({mode.value}): {error}")
            tried += 1
    assert wrong == []
    assert tried > 20
