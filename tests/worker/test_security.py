"""A worker reaches secured brokers by each way that the settings know, under both runtimes, and says no secret."""

from itertools import islice

import pytest

from tests.chaos.site import Door, Site
from tests.chaos.workload import workload
from tests.services.kafka import Cluster
from tests.services.kafka_options import Options
from tests.services.tokens import token_endpoint
from tests.services.topics import Topics
from tests.services.waiting import wait_until

SECRET = "a-secret-that-nobody-may-see"
RUNTIMES = pytest.mark.parametrize("runtime", ["faust", "plain"])


def works(kafka: Cluster, folder, runtime: str, door: Door) -> None:
    """The worker takes what is sent, and its log keeps the secret."""
    site = Site(Topics(kafka.bootstrap, f"secured-{runtime}"), folder, 1, runtime, door)
    try:
        site.send(list(islice(workload(5, 200, 4), 200)))
        worker = site.worker("w0", "ingest", "detect")

        def through() -> bool:
            worker.supervise()
            assert set(worker.codes) <= {75}, worker.said  # a busy machine may cost it its session, no more
            return site.through()

        wait_until(through, "everything through", 240)
        assert worker.stop() == 0
        assert SECRET not in worker.said
    finally:
        site.close()


@RUNTIMES
def test_a_password_over_tls(private_kafka, tmp_path, runtime):
    kafka = private_kafka(Options(users={"cw": SECRET}))
    security = f"  security: {{protocol: sasl_ssl, ca: {kafka.certificates / 'ca.pem'}, mechanism: SCRAM-SHA-512, username: cw}}\n"
    secret = {"COORDWATCH_KAFKA__SECURITY__PASSWORD": SECRET}
    works(kafka, tmp_path, runtime, Door(kafka.addresses("SASLSSL"), security, secret))


@RUNTIMES
def test_a_token_of_a_client(private_kafka, tmp_path, runtime):
    kafka = private_kafka(Options(users={"cw": SECRET}))
    with token_endpoint({"cw": SECRET}) as endpoint:
        security = (
            "  security: {protocol: sasl_plaintext, mechanism: OAUTHBEARER, client_id: cw, "
            f"token_endpoint: '{endpoint.address}'}}\n"
        )
        secret = {"COORDWATCH_KAFKA__SECURITY__CLIENT_SECRET": SECRET}
        works(kafka, tmp_path, runtime, Door(kafka.addresses("SASLPLAIN"), security, secret))
        assert set(endpoint.given) == {"cw"}
