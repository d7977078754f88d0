"""Alerts: the long-lived things that people handle, folded out of detections.

What enters: detection changes from the engine, and what people do to an alert.
What leaves: alerts with a status, a sentence and an audit trail.
The next room: `notify`, which decides whether somebody is told.
"""
