"""Watch what separate tools do to one customer, and say when two of them collide.

What enters: bytes that marketing, bot, CRM and fulfilment tools already publish.
What leaves: detections, alerts and notifications, each with its evidence.
The next room: `README.md` beside this file is the walk on one page; `events` is its first door.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
