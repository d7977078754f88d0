"""Whose event is it: identifiers and refs in, a customer key out.

What enters: Events, most of which name no customer but an e-mail address, a requester or an order.
What leaves: the same Events with a customer key, or parked until a link teaches it.
The next room: `context` keeps one journal for each customer key.
"""
