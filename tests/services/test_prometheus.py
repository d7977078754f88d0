"""The harness itself: what it starts is a Prometheus that scrapes, asks and judges."""

from collections.abc import Callable

import pytest

from tests.services.prometheus import Prometheus

CONFIG = """\
global: {scrape_interval: 250ms, evaluation_interval: 250ms}
rule_files: [rules.yml]
scrape_configs:
  - {job_name: itself, static_configs: [{targets: ["127.0.0.1:1"]}]}
"""
RULES = """\
groups:
  - name: dark
    rules: [{alert: NobodyThere, expr: up == 0}]
"""


def test_a_prometheus_scrapes_answers_and_alerts(prometheus_server: Callable[..., Prometheus]) -> None:
    server = prometheus_server(CONFIG, {"rules.yml": RULES})
    (up,) = server.wait_for('up{job="itself"}')
    assert (up.labels["instance"], up.value) == ("127.0.0.1:1", 0.0)
    (alert,) = server.wait_for('ALERTS{alertstate="firing"}')
    assert alert.labels["alertname"] == "NobodyThere"
    assert server.get("alerts")["alerts"]
    assert 3.0 == server.query("scalar(vector(3))")[0].value
    with pytest.raises(AssertionError, match="parse error"):
        server.query("sum by (")
