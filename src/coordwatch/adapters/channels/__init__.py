"""Channels: Slack, PagerDuty, Alertmanager, webhooks, e-mail, whatever Apprise knows; and the sender that feeds them.

What enters: Work from the outbox.
What leaves: requests to the outside, each behind the egress guard; an Answer for each.
The next room: whoever is on call.
"""
