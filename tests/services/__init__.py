"""Real services for the tests, brought and started from packages alone: Kafka, Prometheus.

Enters: the locked Python packages and what Debian has. Leaves: processes on loopback that end with the tests,
however the tests end. Nothing here is a stand-in: what a test says about Kafka it says about Kafka.
"""
