"""The HTTP API: events in, alerts and answers out, health and metrics.

What enters: requests, any bytes.
What leaves: JSON, problem+json, a stream of server-sent events, the text of /metrics.
The next room: `application`, the only module that others import.
"""
