"""Notify: whether somebody is told of an alert, and why or why not.

What enters: alerts, and how far the sources of cancelling events are read.
What leaves: a NotifyReason each time, and a Notification when somebody is told.
The next room: `engine` steps customers; the runtimes deliver what is decided here.
"""
