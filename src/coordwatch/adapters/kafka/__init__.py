"""Kafka: how its brokers are reached, what must exist on them, and ranges of its topics as records.

KafkaAccess enters; clients of librdkafka, topics that are as they must be, and records leave. The next room: `worker`.
"""
